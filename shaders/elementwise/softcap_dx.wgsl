// The gradient of softcap.wgsl from its result: dx = dy (1 - (y / CAP)^2). The result is added to dx where
// ACCUMULATE.
// Buffers: dx, y, dy [COUNT].
// Constants: COUNT, CAP, ACCUMULATE.
// Threads: one invocation an element.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> dx: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;

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
  let ratio = y[i] / CAP;
  let value = dy[i] * (1.0 - ratio * ratio);
  if (ACCUMULATE) {
    dx[i] += value;
  } else {
    dx[i] = value;
  }
}
