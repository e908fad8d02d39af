// The gradient of rms_norm.wgsl. With r = 1 / sqrt(mean(x^2) + EPS) and g = dy (UNIT_OFFSET + w):
//   dx = r (g - x r^2 mean(g x))
// The result is added to dx where ACCUMULATE.
// Buffers: dx, x, dy [ROWS, WIDTH]; the weight w [WIDTH], any kind (lib/weight/element.wgsl).
// Constants: those of rms_norm.wgsl, and ACCUMULATE.
// Threads: those of rms_norm.wgsl.
#if SERIAL_ROWS
#include "lib/row_serial.wgsl"
#else
#include "lib/row.wgsl"
#endif
#include "lib/weight/element.wgsl"
@group(0) @binding(0) var<storage, read_write> dx: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;

@compute @workgroup_size(ROW_THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) id: u32,
) {
  let row = row_of(group, groups, id);
  let local = lane_of(id);
  if (row >= ROWS) {
    return;
  }
  var squares = 0.0;
  var products = 0.0;
  for (var i = local; i < WIDTH; i += WORKGROUP) {
    let e = row * WIDTH + i;
    squares += x[e] * x[e];
    products += x[e] * dy[e] * (UNIT_OFFSET + weight_at(i));
  }
  let r = 1.0 / sqrt(row_sum(squares, local) / f32(WIDTH) + EPS);
  let shrink = r * r * row_sum(products, local) / f32(WIDTH);
  for (var i = local; i < WIDTH; i += WORKGROUP) {
    let e = row * WIDTH + i;
    let value = r * (dy[e] * (UNIT_OFFSET + weight_at(i)) - x[e] * shrink);
    if (ACCUMULATE) {
      dx[e] += value;
    } else {
      dx[e] = value;
    }
  }
}
