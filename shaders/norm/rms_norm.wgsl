// y = x / sqrt(mean(x^2) + EPS) (UNIT_OFFSET + w), row by row (RMSNorm, arXiv:1910.07467). Here x = a, or
// where HAS_ADD x = a + b, which is written to sum.
// Buffers: y, a [ROWS, WIDTH]; where HAS_ADD, sum and b [ROWS, WIDTH]; the weight w [WIDTH], any kind
//   (lib/weight/element.wgsl).
// Constants: ROWS, WIDTH, EPS, UNIT_OFFSET (1 where the checkpoint stores w - 1, else 0), HAS_ADD,
//   SERIAL_ROWS, WORKGROUP, WEIGHT_KIND.
// Threads: one workgroup of WORKGROUP invocations a row; where SERIAL_ROWS, one invocation a row and eight
//   rows a workgroup.
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
