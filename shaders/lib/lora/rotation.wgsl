// Rotary position embedding of a pair of elements, or of four pairs at once (Rotated is f32 or vec4f), as in
// rope.wgsl: the pair of token t, whose elements lie PAIRS apart, rotates by the angle of row rows[t],
// forward (SIGN 1) or back (-1).
// Buffers: angles [P, 2, PAIRS], the cosines of a row, then its sines; rows [T] u32, below P.
// Constants: P, SIGN; PAIRS, the pairs of a head in elements of Rotated; HEAD_DIM; HEADS<g>, the heads of
//   projection g.
@group(0) @binding(14) var<storage, read> angles: array<Rotated>;
@group(0) @binding(15) var<storage, read> rows: array<u32>;

struct Pair {
  low: Rotated,
  high: Rotated,
}

fn rotate(t: u32, i: u32, low: Rotated, high: Rotated) -> Pair {
  let entry = min(rows[t], P - 1u) * 2u * PAIRS + i;
  let cosine = angles[entry];
  let sine = SIGN * angles[entry + PAIRS];
  return Pair(low * cosine - high * sine, high * cosine + low * sine);
}
