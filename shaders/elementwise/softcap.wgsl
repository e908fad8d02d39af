// y = CAP tanh(x / CAP).
// Buffers: y, x [COUNT].
// Constants: COUNT, CAP.
// Threads: one invocation an element.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;

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
  y[i] = CAP * tanh(x[i] / CAP);
}
