// split_k_reduce.wgsl by vec4, for C without gaps and for the PROBLEMS products of a grouped GEMM at once:
// C_g[m, n] = ALPHA sum_z partial_g[z, m, n], added to C_g where ACCUMULATE. Attention's dk and dv, whose
// heads are split, are added up by it too.
// Buffers: c0, c1, … [M, SIZE<g>]; partial, of which those of problem g, [SPLIT_K, M, SIZE<g>], begin at
//   SPLIT_K M FIRST<g>.
// Constants: M, SPLIT_K, ALPHA, ACCUMULATE, PROBLEMS. Problem g has SIZE<g> columns, which are columns
//   FIRST<g> and on of all; both are multiples of 4.
// Threads: one invocation four elements.
#include "lib/grid.wgsl"
@group(0) @binding(1) var<storage, read> partial: array<vec4f>;
#repeat g PROBLEMS
@group(0) @binding(1$g) var<storage, read_write> c$g: array<vec4f>;
#endrepeat

fn total(first: u32, size: u32, own: u32) -> vec4f {
  var sum = vec4f();
  for (var z = 0u; z < SPLIT_K; z++) {
    sum += partial[SPLIT_K * M * first / 4u + z * (M * size / 4u) + own];
  }
  return ALPHA * sum;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let e = flat_index(group, groups, local, 64u);
#repeat g PROBLEMS
  if (e >= M * FIRST$g / 4u && e < M * (FIRST$g + SIZE$g) / 4u) {
    let own = e - M * FIRST$g / 4u;
    if (ACCUMULATE) {
      c$g[own] += total(FIRST$g, SIZE$g, own);
    } else {
      c$g[own] = total(FIRST$g, SIZE$g, own);
    }
  }
#endrepeat
}
