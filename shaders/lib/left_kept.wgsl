// A of matmul_rows.wgsl where an invocation's terms lie together: a stretch of it is brought to workgroup memory first, nine vec4 for eight, so that
// neighbours read from different banks.
const KEPT_FOURS: u32 = STRETCH / 4u;
const KEPT_ROW: u32 = KEPT_FOURS / 8u * 9u;
var<workgroup> kept: array<vec4f, ROWS * KEPT_ROW>;

fn begin_stretch(k: u32, t: u32) {
  workgroupBarrier();
  for (var i = t; i < ROWS * KEPT_FOURS; i += THREADS) {
    let row = i / KEPT_FOURS;
    let four = i % KEPT_FOURS;
    if (k + four * 4u < K) {
      kept[row * KEPT_ROW + four / 8u * 9u + four % 8u] = a[(A_OFFSET + row * A_ROW + k) / 4u + four];
    }
  }
  workgroupBarrier();
}

fn left_four(row: u32, k: u32, lane: u32, q: u32) -> vec4f {
  return kept[row * KEPT_ROW + lane * 9u + q];
}
