// y[t, h] = x[t, h] s[t]. The result is added to y where ACCUMULATE.
// Buffers: y, x [ROWS, WIDTH]; s [ROWS].
// Constants: ROWS, WIDTH, ACCUMULATE.
// Threads: one invocation an element.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> s: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= ROWS * WIDTH) {
    return;
  }
  let value = x[i] * s[i / WIDTH];
  if (ACCUMULATE) {
    y[i] += value;
  } else {
    y[i] = value;
  }
}
