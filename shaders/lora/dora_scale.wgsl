// y[t, o] = (1 - s[t] + s[t] m[o] / norm[o]) x[t, o], where s is 1 without HAS_ADAPTER_SCALE: the magnitudes
// of DoRA (arXiv:2402.09353). A row of norm 0 gives 0. The result is added to y where ACCUMULATE.
// Buffers: y, x [COUNT / WIDTH, WIDTH]; magnitude m, norm [WIDTH]; where HAS_ADAPTER_SCALE, adapter_scale s
//   [COUNT / WIDTH].
// Constants: COUNT, WIDTH, ACCUMULATE, HAS_ADAPTER_SCALE.
// Threads: one invocation an element.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> magnitude: array<f32>;
@group(0) @binding(3) var<storage, read> norm: array<f32>;
#if HAS_ADAPTER_SCALE
@group(0) @binding(4) var<storage, read> adapter_scale: array<f32>;
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
  let column = i % WIDTH;
  var factor = 0.0;
  if (norm[column] > 0.0) {
    factor = magnitude[column] / norm[column];
  }
#if HAS_ADAPTER_SCALE
  let s = adapter_scale[i / WIDTH];
  factor = 1.0 - s + s * factor;
#endif
  var sum = 0.0;
  if (ACCUMULATE) {
    sum = y[i];
  }
  y[i] = sum + factor * x[i];
}
