// rms_norm.wgsl where WIDTH is a multiple of 4: a workgroup reads its row once, into registers, all of it
// before anything is done with it.
// Buffers: y, a [ROWS, WIDTH]; where HAS_ADD, sum and b [ROWS, WIDTH]; the weight w [WIDTH], any kind
//   (lib/weight/vec4.wgsl).
// Constants: those of rms_norm.wgsl but SERIAL_ROWS; VECTORS, the vec4 of a row that an invocation holds.
// Threads: one workgroup of WORKGROUP invocations a row.
#include "lib/row.wgsl"
#include "lib/weight/vec4.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
#if HAS_ADD
@group(0) @binding(1) var<storage, read_write> sum: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;
#endif

const WIDTH4: u32 = WIDTH / 4u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = row_of(group, groups, local);
  if (row >= ROWS) {
    return;
  }
  let start = row * WIDTH4;
#repeat f VECTORS
  let at$f = local + $fu * WORKGROUP;
  let four$f = min(at$f, WIDTH4 - 1u);
  var value$f = a[start + four$f];
#if HAS_ADD
  value$f += b[start + four$f];
#endif
  let weight$f = weight4_at(four$f * 4u);
#endrepeat
  var squares = vec4f();
#repeat f VECTORS
  if (at$f < WIDTH4) {
#if HAS_ADD
    sum[start + at$f] = value$f;
#endif
    squares = fma(value$f, value$f, squares);
  }
#endrepeat
  let scale = 1.0 / sqrt(row_sum(squares.x + squares.y + squares.z + squares.w, local) / f32(WIDTH) + EPS);
#repeat f VECTORS
  if (at$f < WIDTH4) {
    y[start + at$f] = value$f * scale * (UNIT_OFFSET + weight$f);
  }
#endrepeat
}
