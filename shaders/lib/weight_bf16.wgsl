// Reads element i of a bfloat16 array, two elements a word, the first in the low half: a bfloat16 is the upper half of an f32.
@group(0) @binding(4) var<storage, read> weight_data: array<u32>;

fn weight_at(i: u32) -> f32 {
  let word = weight_data[i >> 1u];
  return bitcast<f32>(select(word << 16u, word & 0xffff0000u, (i & 1u) == 1u));
}
