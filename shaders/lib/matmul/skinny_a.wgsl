// How matmul_skinny.wgsl reads its rows of A. A_STAGED 0: from the buffer, where neighbouring invocations
// read neighbouring vec4. Otherwise an invocation's terms lie together, so that A_STAGED vec4 of every
// invocation are brought to workgroup memory at once. One more is left free, so that neighbours read from
// different banks.
#if A_STAGED
var<workgroup> a_stage: array<vec4f, ROWS * LANES * (A_STAGED + 1u)>;

fn a_stage_slot(row: u32, lane: u32, q: u32) -> u32 {
  return (row * LANES + lane) * (A_STAGED + 1u) + q % A_STAGED;
}

fn stage_a(k: u32, q: u32, t: u32) {
  if (q % A_STAGED != 0u) {
    return;
  }
  workgroupBarrier();
  for (var i = t; i < ROWS * LANES * A_STAGED; i += THREADS) {
    let row = i / (LANES * A_STAGED);
    let lane = i / A_STAGED % LANES;
    let term = k + term_of(lane, q + i % A_STAGED);
    if (term < K) {
      a_stage[a_stage_slot(row, lane, i % A_STAGED)] = a[(A_OFFSET + row_at(row) * A_ROW + term) / 4u];
    }
  }
  workgroupBarrier();
}

fn a_vector(row: u32, k: u32, lane: u32, q: u32) -> vec4f {
  return a_stage[a_stage_slot(row, lane, q)];
}
#else
fn stage_a(k: u32, q: u32, t: u32) {}

fn a_vector(row: u32, k: u32, lane: u32, q: u32) -> vec4f {
  return a[(A_OFFSET + row_at(row) * A_ROW + k + term_of(lane, q)) / 4u];
}
#endif
