// y = sigmoid(gate) x, with one gate for each D neighbouring elements of x, a head. The result is added to y
// where ACCUMULATE.
// Buffers: y, x [COUNT]; gate [COUNT / D].
// Constants: COUNT, D, ACCUMULATE.
// Threads: one invocation an element of x.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> gate: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= COUNT) {
    return;
  }
  var sum = 0.0;
  if (ACCUMULATE) {
    sum = y[i];
  }
  y[i] = sum + x[i] / (1.0 + exp(-gate[i / D]));
}
