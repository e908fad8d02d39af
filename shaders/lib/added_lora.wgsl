// A product of few rows and the second one of LoRA: y_g[t, n] += UP sum_r down[t, g RANK + r] b[FIRST + n, r], four r a lane; RANK = 4 QUARTERS.
// Buffers: 2 down [M, MEMBERS RANK], 3 b, one projection's rows after the other's, [., RANK].
@group(0) @binding(2) var<storage, read> down: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;

fn up_of(n: u32, lane: u32) -> vec4f {
  return b[(member_first + n) * QUARTERS + min(lane, QUARTERS - 1u)];
}

fn added(row: u32, lane: u32, up: vec4f) -> f32 {
  let part = UP * dot(down[row * DOWN_ROW + member * QUARTERS + min(lane, QUARTERS - 1u)], up);
  return select(0.0, part, lane < QUARTERS);
}
