// y = x / sqrt(mean(x^2) + EPS) * (UNIT_OFFSET + w), a row of WIDTH at a time; of x = a, or of x = a + b, which goes to sum (ADDS 1).
// Buffers: 0 y, 1 sum, 2 a, 3 b, all [ROWS, WIDTH]; neither sum nor b where ADDS is 0; 4-7 w [WIDTH]. Threads: one workgroup a row, or one invocation (SERIAL_ROWS).
#if SERIAL_ROWS
#include "lib/row_serial.wgsl"
#else
#include "lib/row.wgsl"
#endif
#include "lib/weight/element.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read> a: array<f32>;
#if HAS_ADD
@group(0) @binding(1) var<storage, read_write> sum: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
#endif

fn x_at(i: u32) -> f32 {
  var x = a[i];
#if HAS_ADD
  x += b[i];
#endif
  return x;
}

@compute @workgroup_size(ROW_THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) id: u32) {
  let row = row_of(group, groups, id);
  let local = lane_of(id);
  if (row >= ROWS) {
    return;
  }
  var squares = 0.0;
  for (var i = local; i < WIDTH; i += WORKGROUP) {
    let x = x_at(row * WIDTH + i);
#if HAS_ADD
    sum[row * WIDTH + i] = x;
#endif
    squares += x * x;
  }
  let scale = 1.0 / sqrt(row_sum(squares, local) / f32(WIDTH) + EPS);
  for (var i = local; i < WIDTH; i += WORKGROUP) {
    y[row * WIDTH + i] = x_at(row * WIDTH + i) * scale * (UNIT_OFFSET + weight_at(i));
  }
}
