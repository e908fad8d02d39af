// Reads elements i to i + 3 of an NF4 tensor; i is a multiple of 4, so that they share a scale. The including file has its scales and tables.
#include "lib/nf4_words.wgsl"
fn weight4_at(i: u32) -> vec4f {
  let half_word = (weight_packed[i >> 3u] >> ((i & 4u) << 2u)) & 0xffffu;
  let codes = (vec4u(half_word) >> vec4u(4u, 0u, 12u, 8u)) & vec4u(15u);
  let points = vec4f(weight_tables[256u + codes.x], weight_tables[256u + codes.y], weight_tables[256u + codes.z], weight_tables[256u + codes.w]);
  return points * weight_scale(i >> 6u);
}
