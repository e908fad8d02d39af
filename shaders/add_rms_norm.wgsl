// sum = a + b, and its norm y = sum / sqrt(mean(sum^2) + EPS) * (UNIT_OFFSET + w), a row of WIDTH at a time.
// Buffers: 0 y, 1 sum, 2 a, 3 b, all [ROWS, WIDTH], 4-7 w [WIDTH]. Threads: one workgroup a row, or one invocation (ROW).
#include "lib/{ROW}.wgsl"
#include "lib/weight_{W_KIND}.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read_write> sum: array<f32>;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;

@compute @workgroup_size(ROW_THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) id: u32) {
  let row = row_of(group, groups, id);
  let local = lane_of(id);
  if (row >= ROWS) {
    return;
  }
  var squares = 0.0;
  for (var i = local; i < WIDTH; i += WORKGROUP) {
    let value = a[row * WIDTH + i] + b[row * WIDTH + i];
    sum[row * WIDTH + i] = value;
    squares += value * value;
  }
  let scale = 1.0 / sqrt(row_sum(squares, local) / f32(WIDTH) + EPS);
  for (var i = local; i < WIDTH; i += WORKGROUP) {
    y[row * WIDTH + i] = sum[row * WIDTH + i] * scale * (UNIT_OFFSET + weight_at(i));
  }
}
