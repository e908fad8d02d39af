// The second product of LoRA within matmul_skinny.wgsl, where ADDS_LORA: y_g[t, n] += LORA_SCALE sum_r
// down[t, g RANK + r] b[FIRST<g> + n, r], four r an invocation; RANK = 4 RANK_QUADS. DOWN_QUADS: vec4 of a
// row of down.
// Buffers: lora_down [M, PROBLEMS RANK]; lora_b [., RANK], one projection's rows after the other's.
// lora_b_row: an invocation's part of the row of b of column n. lora_term: what it adds to row `row` of that
// column.
#if ADDS_LORA
@group(0) @binding(2) var<storage, read> lora_down: array<vec4f>;
@group(0) @binding(3) var<storage, read> lora_b: array<vec4f>;

fn lora_b_row(n: u32, lane: u32) -> vec4f {
  return lora_b[(problem_first + n) * RANK_QUADS + min(lane, RANK_QUADS - 1u)];
}

fn lora_term(row: u32, lane: u32, b_row: vec4f) -> f32 {
  let part = LORA_SCALE * dot(
    lora_down[row * DOWN_QUADS + problem * RANK_QUADS + min(lane, RANK_QUADS - 1u)],
    b_row,
  );
  return select(0.0, part, lane < RANK_QUADS);
}
#else
fn lora_b_row(n: u32, lane: u32) -> vec4f {
  return vec4f();
}

fn lora_term(row: u32, lane: u32, b_row: vec4f) -> f32 {
  return 0.0;
}
#endif
