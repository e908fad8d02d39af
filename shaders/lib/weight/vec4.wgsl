// Reads elements i to i + 3 of a weight of any kind (WEIGHT_KIND); i is a multiple of 4, so that four NF4
// codes share a scale. The layout of each kind is that of element.wgsl.
// Buffers: weight_data, or weight_packed and those of nf4_scales.wgsl.
#if WEIGHT_KIND == f32
@group(0) @binding(4) var<storage, read> weight_data: array<vec4f>;
alias Stored4 = vec4f;

fn stored4_at(i: u32) -> Stored4 {
  return weight_data[i >> 2u];
}

fn weight4_of(stored: Stored4) -> vec4f {
  return stored;
}
#elif WEIGHT_KIND == bf16
@group(0) @binding(4) var<storage, read> weight_data: array<vec2u>;
alias Stored4 = vec2u;

fn stored4_at(i: u32) -> Stored4 {
  return weight_data[i >> 2u];
}

fn weight4_of(words: Stored4) -> vec4f {
  return bitcast<vec4f>(vec4u(words.x << 16u, words.x & 0xffff0000u, words.y << 16u, words.y & 0xffff0000u));
}
#elif WEIGHT_KIND == f16
@group(0) @binding(4) var<storage, read> weight_data: array<vec2u>;
alias Stored4 = vec2u;

fn stored4_at(i: u32) -> Stored4 {
  return weight_data[i >> 2u];
}

fn weight4_of(words: Stored4) -> vec4f {
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}
#else
#include "lib/weight/nf4_scales.wgsl"
@group(0) @binding(4) var<storage, read> weight_packed: array<u32>;
alias Stored4 = vec4f;

fn weight4_of(stored: Stored4) -> vec4f {
  return stored;
}

fn stored4_at(i: u32) -> Stored4 {
  let half_word = (weight_packed[i >> 3u] >> ((i & 4u) << 2u)) & 0xffffu;
  let codes = (vec4u(half_word) >> vec4u(4u, 0u, 12u, 8u)) & vec4u(15u);
  let points = vec4f(
    weight_tables[256u + codes.x],
    weight_tables[256u + codes.y],
    weight_tables[256u + codes.z],
    weight_tables[256u + codes.w],
  );
  return points * weight_scale(i >> 6u);
}
#endif

fn weight4_at(i: u32) -> vec4f {
  return weight4_of(stored4_at(i));
}
