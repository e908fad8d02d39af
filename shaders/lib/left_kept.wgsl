// A of matmul_rows.wgsl where an invocation's terms lie together: KEPT fours of them all are brought to workgroup memory at once. One more is left free, so
// that neighbours read from different banks.
var<workgroup> kept: array<vec4f, ROWS * LANES * (KEPT + 1u)>;

fn kept_at(row: u32, lane: u32, q: u32) -> u32 {
  return (row * LANES + lane) * (KEPT + 1u) + q % KEPT;
}

fn begin_four(k: u32, q: u32, t: u32) {
  if (q % KEPT != 0u) {
    return;
  }
  workgroupBarrier();
  for (var i = t; i < ROWS * LANES * KEPT; i += THREADS) {
    let row = i / (LANES * KEPT);
    let lane = i / KEPT % LANES;
    let term = k + term_of(lane, q + i % KEPT);
    if (term < K) {
      kept[kept_at(row, lane, i % KEPT)] = a[(A_OFFSET + row * A_ROW + term) / 4u];
    }
  }
  workgroupBarrier();
}

fn left_four(row: u32, k: u32, lane: u32, q: u32) -> vec4f {
  return kept[kept_at(row, lane, q)];
}
