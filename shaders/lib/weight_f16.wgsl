// Reads element i of a float16 array, two elements a word, the first in the low half.
@group(0) @binding(4) var<storage, read> weight_data: array<u32>;

fn weight_at(i: u32) -> f32 {
  let pair = unpack2x16float(weight_data[i >> 1u]);
  return select(pair.x, pair.y, (i & 1u) == 1u);
}
