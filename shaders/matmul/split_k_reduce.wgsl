// The second half of a product whose k was split: C[m, n] = ALPHA sum_z partial[z, m, n], in the order of z.
// The result is added to C where ACCUMULATE.
// Buffers: c, element (m, n) at C_OFFSET + m C_ROW + n; partial [SPLIT_K, M, N].
// Constants: M, N, SPLIT_K, C_OFFSET, C_ROW, ALPHA, ACCUMULATE.
// Threads: one invocation an element.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> c: array<f32>;
@group(0) @binding(1) var<storage, read> partial: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let e = flat_index(group, groups, local, 64u);
  if (e >= M * N) {
    return;
  }
  var sum = 0.0;
  for (var z = 0u; z < SPLIT_K; z++) {
    sum += partial[z * M * N + e];
  }
  let i = C_OFFSET + (e / N) * C_ROW + e % N;
  if (ACCUMULATE) {
    c[i] += ALPHA * sum;
  } else {
    c[i] = ALPHA * sum;
  }
}
