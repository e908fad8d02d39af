// norm[FIRST + o] = |w[o] + SCALE sum_r b[B_FIRST + o, r] a[A_FIRST + r]|: the Euclidean norms of the rows
// of a weight with its adapter, as DoRA (arXiv:2402.09353) divides by them.
// Buffers: norm [FIRST + ROWS or more], written; a [A_FIRST + RANK or more, WIDTH]; b [B_FIRST + ROWS or
//   more, RANK]; the weight w [ROWS, WIDTH], any kind (lib/weight/element.wgsl).
// Constants: QUADS (ROWS / 4, rounded up), ROWS, WIDTH, RANK, SCALE, FIRST, A_FIRST, B_FIRST, SERIAL_ROWS,
//   WORKGROUP, WEIGHT_KIND.
// Threads: one workgroup of WORKGROUP invocations for four rows; where SERIAL_ROWS, one invocation for four
//   rows and eight times four a workgroup.
#if SERIAL_ROWS
#include "lib/row_serial.wgsl"
#else
#include "lib/row.wgsl"
#endif
#include "lib/weight/element.wgsl"
@group(0) @binding(0) var<storage, read_write> norm: array<f32>;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;

@compute @workgroup_size(ROW_THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) id: u32,
) {
  let quad = row_of(group, groups, id);
  let lane = lane_of(id);
  if (quad >= QUADS) {
    return;
  }
  let rows = min(4u * quad + vec4u(0u, 1u, 2u, 3u), vec4u(ROWS - 1u));
  let of_b = (B_FIRST + rows) * RANK;
  let of_w = rows * WIDTH;
  var squares = vec4f();
  for (var i = lane; i < WIDTH; i += WORKGROUP) {
    var delta = vec4f(0.0);
    for (var r = 0u; r < RANK; r++) {
      let up = vec4f(b[of_b.x + r], b[of_b.y + r], b[of_b.z + r], b[of_b.w + r]);
      delta += up * a[(A_FIRST + r) * WIDTH + i];
    }
    let w = vec4f(
      weight_at(of_w.x + i),
      weight_at(of_w.y + i),
      weight_at(of_w.z + i),
      weight_at(of_w.w + i),
    );
    let merged = w + SCALE * delta;
    squares += merged * merged;
  }
  let total = vec4f(
    row_sum(squares.x, lane),
    row_sum(squares.y, lane),
    row_sum(squares.z, lane),
    row_sum(squares.w, lane),
  );
  if (lane == 0u) {
    for (var j = 0u; j < 4u; j++) {
      if (4u * quad + j < ROWS) {
        norm[FIRST + 4u * quad + j] = sqrt(total[j]);
      }
    }
  }
}
