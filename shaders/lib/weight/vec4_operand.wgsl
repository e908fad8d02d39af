// Reads elements i to i + 3 of a weight as operands of matrix units (Operand is f16 or f32); i is a multiple
// of 4. Where B_F16 the weight was dequantised ahead of the product, by dequantize_nf4_words.wgsl or
// dequantize_nf4_transposed.wgsl, and lies as a float16 array.
// Buffers: weight_data, or those of vec4.wgsl.
#if B_F16
@group(0) @binding(4) var<storage, read> weight_data: array<vec4<f16>>;
alias Stored4 = vec4<f16>;

fn stored4_at(i: u32) -> Stored4 {
  return weight_data[i >> 2u];
}

fn operand4_of(stored: Stored4) -> vec4<Operand> {
  return stored;
}
#else
#include "lib/weight/vec4.wgsl"

fn operand4_of(stored: Stored4) -> vec4<Operand> {
  return vec4<Operand>(weight4_of(stored));
}
#endif
