// y[t, TO + n] = x[t, FROM + n] for n < WIDTH.
// Buffers: y [ROWS, TO_WIDTH]; x [ROWS, FROM_WIDTH].
// Constants: ROWS, WIDTH, TO, TO_WIDTH, FROM, FROM_WIDTH.
// Threads: one invocation an element that is copied.
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
  if (i >= ROWS * WIDTH) {
    return;
  }
  let row = i / WIDTH;
  let column = i % WIDTH;
  y[row * TO_WIDTH + TO + column] = x[row * FROM_WIDTH + FROM + column];
}
