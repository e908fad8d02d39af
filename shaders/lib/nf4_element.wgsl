// Reads element i of an NF4 tensor; the including file has its scales and tables.
#include "lib/nf4_words.wgsl"
fn weight_at(i: u32) -> f32 {
  let byte = (weight_packed[i >> 3u] >> (((i >> 1u) & 3u) * 8u)) & 255u;
  let code = select(byte >> 4u, byte & 15u, (i & 1u) == 1u);
  return weight_tables[256u + code] * weight_scale(i >> 6u);
}
