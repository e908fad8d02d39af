// Reads elements i to i + 3 of a float16 array, two elements a word, the first in the low half; i is a multiple of 4.
@group(0) @binding(4) var<storage, read> weight_data: array<vec2u>;

fn weight4_at(i: u32) -> vec4f {
  let words = weight_data[i >> 2u];
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}
