// y = activation(x); where GRADIENT, y = dy activation'(x), which is added to y where ACCUMULATE.
// Buffers: y, x [COUNT]; dy [COUNT] where GRADIENT.
// Constants: COUNT, GRADIENT, ACCUMULATE; ACTIVATION (lib/elementwise/activation.wgsl); VECTOR_WIDTH 1.
// Threads: one invocation an element.
#include "lib/grid.wgsl"
#include "lib/elementwise/activation.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
#if GRADIENT
@group(0) @binding(2) var<storage, read> dy: array<f32>;
#endif

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
#if GRADIENT
  var sum = dy[i] * activation_slope(x[i]);
  if (ACCUMULATE) {
    sum += y[i];
  }
  y[i] = sum;
#else
  y[i] = activation(x[i]);
#endif
}
