// Reads element i of a weight of any kind (WEIGHT_KIND). Sixteen-bit elements lie two a word, the first in
// the low half.
// Buffers: weight_data, or weight_packed and those of nf4_scales.wgsl.
#if WEIGHT_KIND == f32
@group(0) @binding(4) var<storage, read> weight_data: array<f32>;

fn weight_at(i: u32) -> f32 {
  return weight_data[i];
}
#elif WEIGHT_KIND == bf16
@group(0) @binding(4) var<storage, read> weight_data: array<u32>;

// A bfloat16 is the upper half of an f32.
fn weight_at(i: u32) -> f32 {
  let word = weight_data[i >> 1u];
  return bitcast<f32>(select(word << 16u, word & 0xffff0000u, (i & 1u) == 1u));
}
#elif WEIGHT_KIND == f16
@group(0) @binding(4) var<storage, read> weight_data: array<u32>;

fn weight_at(i: u32) -> f32 {
  let pair = unpack2x16float(weight_data[i >> 1u]);
  return select(pair.x, pair.y, (i & 1u) == 1u);
}
#elif WEIGHT_KIND == nf4
#include "lib/weight/nf4_element.wgsl"
#elif WEIGHT_KIND == nf4_f32
#include "lib/weight/nf4_element.wgsl"
#else
#include "lib/weight/gguf_blocks.wgsl"
#endif
