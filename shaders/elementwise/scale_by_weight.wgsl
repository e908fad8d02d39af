// y = w x, w being one stored number. The result is added to y where ACCUMULATE.
// Buffers: y, x [COUNT]; the weight w [1], any kind (lib/weight/element.wgsl).
// Constants: COUNT, ACCUMULATE, WEIGHT_KIND.
// Threads: one invocation an element.
#include "lib/grid.wgsl"
#include "lib/weight/element.wgsl"
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
  var sum = 0.0;
  if (ACCUMULATE) {
    sum = y[i];
  }
  y[i] = sum + weight_at(0u) * x[i];
}
