// y = x / sqrt(mean(x^2) + EPS) * (UNIT_OFFSET + w), a row of WIDTH at a time.
// Buffers: 0 y [ROWS, WIDTH], 1 x [ROWS, WIDTH], 4-7 w [WIDTH]. Threads: one workgroup a row, or one invocation (ROW).
#include "lib/{ROW}.wgsl"
#include "lib/weight_{W_KIND}.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;

@compute @workgroup_size(ROW_THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) id: u32) {
  let row = row_of(group, groups, id);
  let local = lane_of(id);
  if (row >= ROWS) {
    return;
  }
  var squares = 0.0;
  for (var i = local; i < WIDTH; i += WORKGROUP) {
    let value = x[row * WIDTH + i];
    squares += value * value;
  }
  let scale = 1.0 / sqrt(row_sum(squares, local) / f32(WIDTH) + EPS);
  for (var i = local; i < WIDTH; i += WORKGROUP) {
    y[row * WIDTH + i] = x[row * WIDTH + i] * scale * (UNIT_OFFSET + weight_at(i));
  }
}
