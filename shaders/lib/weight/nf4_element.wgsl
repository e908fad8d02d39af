// Reads element i of an NF4 weight: eight codes a word, two a byte, the even element in the high nibble.
// Buffers: weight_packed and those of nf4_scales.wgsl.
#include "lib/weight/nf4_scales.wgsl"
@group(0) @binding(4) var<storage, read> weight_packed: array<u32>;

fn weight_at(i: u32) -> f32 {
  let byte = (weight_packed[i >> 3u] >> (((i >> 1u) & 3u) * 8u)) & 255u;
  let code = select(byte >> 4u, byte & 15u, (i & 1u) == 1u);
  return weight_tables[256u + code] * weight_scale(i >> 6u);
}
