// What both backward kernels need of a query: stats[t, h] = (lse[t, h], sum_i o[t, h, i] do[t, h, i]).
// Buffers: stats [T, HEADS, 2]; o, d_o [T, HEADS D]; lse [T, HEADS].
// Constants: T, HEADS, D, VECTOR_WIDTH.
// Threads: one invocation a query and head.
#include "lib/grid.wgsl"
#include "lib/attention/vector.wgsl"
@group(0) @binding(0) var<storage, read_write> stats: array<f32>;
@group(0) @binding(1) var<storage, read> o: array<Vector>;
@group(0) @binding(2) var<storage, read> d_o: array<Vector>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;

const N: u32 = D / VECTOR_WIDTH;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let e = flat_index(group, groups, local, 64u);
  if (e >= T * HEADS) {
    return;
  }
  var sum = 0.0;
  for (var i = 0u; i < N; i++) {
    sum += dot(o[e * N + i], d_o[e * N + i]);
  }
  stats[2u * e] = lse[e];
  stats[2u * e + 1u] = sum;
}
