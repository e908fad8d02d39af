// Reads element i of a weight in GGUF blocks (WEIGHT_KIND is the block's type), as ggml decodes it: scales in
// float16, every operation in float32 and in ggml's order (src/quant/ggufBlocks.ts, on the CPU). Blocks need
// not begin at a word.
// Buffers: weight_data, the blocks end to end.
@group(0) @binding(4) var<storage, read> weight_data: array<u32>;

fn block_byte(at: u32) -> u32 {
  return (weight_data[at >> 2u] >> ((at & 3u) * 8u)) & 255u;
}

// The float16 at an even byte. Decoded here, since unpack2x16float may take subnormals for zero, and scales
// of Q6_K are often subnormal.
fn block_half(at: u32) -> f32 {
  let bits = (weight_data[at >> 2u] >> ((at & 2u) * 8u)) & 0xffffu;
  let fraction = bits & 0x3ffu;
  let exponent = (bits >> 10u) & 31u;
  let small = f32(fraction) * 5.9604644775390625e-8;
  let magnitude = select(bitcast<f32>(((exponent + 112u) << 23u) | (fraction << 13u)), small, exponent == 0u);
  return select(magnitude, -magnitude, bits >= 0x8000u);
}

// Byte as a signed number.
fn signed_byte(byte: u32) -> f32 {
  return f32(i32(byte << 24u) >> 24u);
}

#if WEIGHT_KIND == Q8_0
fn weight_at(i: u32) -> f32 {
  let at = (i >> 5u) * 34u;
  return block_half(at) * signed_byte(block_byte(at + 2u + (i & 31u)));
}
#elif WEIGHT_KIND == Q4_K
fn weight_at(i: u32) -> f32 {
  return k45(i, 144u, 16u, 0u);
}
#elif WEIGHT_KIND == Q5_K
fn weight_at(i: u32) -> f32 {
  let at = (i >> 8u) * 176u;
  let group = (i >> 5u) & 7u;
  return k45(i, 176u, 48u, ((block_byte(at + 16u + (i & 31u)) >> group) & 1u) << 4u);
}
#elif WEIGHT_KIND == Q6_K
fn weight_at(i: u32) -> f32 {
  let at = (i >> 8u) * 210u;
  let part = (i >> 7u) & 1u;
  let row = (i >> 5u) & 3u;
  let column = i & 31u;
  let byte = block_byte(at + 64u * part + 32u * (row & 1u) + column);
  let low = select(byte >> 4u, byte & 15u, row < 2u);
  let high = (block_byte(at + 128u + 32u * part + column) >> (2u * row)) & 3u;
  let step = block_half(at + 208u) * signed_byte(block_byte(at + 192u + ((i & 255u) >> 4u)));
  return step * (f32(low | (high << 4u)) - 32.0);
}
#elif WEIGHT_KIND == Q2_K
fn weight_at(i: u32) -> f32 {
  let at = (i >> 8u) * 84u;
  let group = (i >> 4u) & 15u;
  let packed = block_byte(at + group);
  let byte = block_byte(at + 16u + 32u * (group >> 3u) + 16u * (group & 1u) + (i & 15u));
  let q = (byte >> (2u * ((group >> 1u) & 3u))) & 3u;
  let step = block_half(at + 80u) * f32(packed & 15u);
  return step * f32(q) - block_half(at + 82u) * f32(packed >> 4u);
}
#elif WEIGHT_KIND == Q3_K
fn weight_at(i: u32) -> f32 {
  let at = (i >> 8u) * 110u;
  let group = (i >> 4u) & 15u;
  let low = block_byte(at + 96u + (group & 7u)) >> select(4u, 0u, group < 8u);
  let high = block_byte(at + 104u + (group & 3u)) >> (2u * (group >> 2u));
  let step = block_half(at + 108u) * (f32((low & 15u) | ((high & 3u) << 4u)) - 32.0);
  let within = 16u * (group & 1u) + (i & 15u);
  // A mask bit of one means that four is not subtracted.
  let mask = (block_byte(at + within) >> (group >> 1u)) & 1u;
  let q = (block_byte(at + 32u + 32u * (group >> 3u) + within) >> (2u * ((group >> 1u) & 3u))) & 3u;
  return step * (f32(q) - select(4.0, 0.0, mask == 1u));
}
#elif WEIGHT_KIND == Q4_0
fn weight_at(i: u32) -> f32 {
  let at = (i >> 5u) * 18u;
  return block_half(at) * (f32(block_nibble(at + 2u, i & 31u)) - 8.0);
}
#elif WEIGHT_KIND == Q4_1
fn weight_at(i: u32) -> f32 {
  let at = (i >> 5u) * 20u;
  return block_half(at) * f32(block_nibble(at + 4u, i & 31u)) + block_half(at + 2u);
}
#elif WEIGHT_KIND == Q5_0
fn weight_at(i: u32) -> f32 {
  let at = (i >> 5u) * 22u;
  return block_half(at) * (f32(block_nibble(at + 6u, i & 31u) | block_fifth(at + 2u, i & 31u)) - 16.0);
}
#elif WEIGHT_KIND == Q5_1
fn weight_at(i: u32) -> f32 {
  let at = (i >> 5u) * 24u;
  let q = block_nibble(at + 8u, i & 31u) | block_fifth(at + 4u, i & 31u);
  return block_half(at) * f32(q) + block_half(at + 2u);
}
#elif WEIGHT_KIND == IQ4_NL
const IQ4_NL_VALUES = array<f32, 16>(
  -127.0, -104.0, -83.0, -65.0, -49.0, -35.0, -22.0, -10.0,
  1.0, 13.0, 25.0, 38.0, 53.0, 69.0, 89.0, 113.0,
);

fn weight_at(i: u32) -> f32 {
  let at = (i >> 5u) * 18u;
  return block_half(at) * IQ4_NL_VALUES[block_nibble(at + 2u, i & 31u)];
}
#endif

// Two 4-bit numbers a byte: the low ones are the first half of a block of 32.
fn block_nibble(at: u32, i: u32) -> u32 {
  let byte = block_byte(at + (i & 15u));
  return select(byte >> 4u, byte & 15u, i < 16u);
}

// The fifth bit of number i of a block of 32, in its place.
fn block_fifth(at: u32, i: u32) -> u32 {
  return ((block_byte(at + (i >> 3u)) >> (i & 7u)) & 1u) << 4u;
}

// Q4_K and Q5_K: eight groups of 32, each with a scale and a minimum of 6 bits (get_scale_min_k4).
fn k45(i: u32, bytes: u32, low: u32, fifth: u32) -> f32 {
  let at = (i >> 8u) * bytes;
  let group = (i >> 5u) & 7u;
  var scale = block_byte(at + 4u + group) & 63u;
  var minimum = block_byte(at + 8u + group) & 63u;
  if (group >= 4u) {
    let both = block_byte(at + 8u + group);
    scale = (both & 15u) | ((block_byte(at + group) >> 6u) << 4u);
    minimum = (both >> 4u) | ((block_byte(at + 4u + group) >> 6u) << 4u);
  }
  let byte = block_byte(at + low + 32u * (group >> 1u) + (i & 31u));
  let q = select(byte & 15u, byte >> 4u, (group & 1u) == 1u) | fifth;
  return block_half(at) * f32(scale) * f32(q) - block_half(at + 2u) * f32(minimum);
}
