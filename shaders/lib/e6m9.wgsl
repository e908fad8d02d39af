// Floats in 16 bits with a sign, 6 bits of exponent (bias 31) and 9 of mantissa, two in a u32. float16 ends
// at 65,504, which the residual stream of some models exceeds, and bfloat16 has 7 bits of mantissa: this
// format reaches 2^32 with a relative error of at most 2^-10. Below 2^-30 is zero; what is not finite
// becomes NaN.
const E6M9_NOT_FINITE = 0x7fffu;
// The difference of the exponents' biases, above 9 bits of mantissa.
const E6M9_REBIAS = (127u - 31u) << 9u;

fn e6m9_of(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  let magnitude = bits & 0x7fffffffu;
  // Rounds to nearest, ties to even: 14 bits of mantissa go.
  let rounded = (magnitude + 0x1fffu + ((magnitude >> 14u) & 1u)) >> 14u;
  var code = clamp(rounded, E6M9_REBIAS, E6M9_REBIAS + E6M9_NOT_FINITE - 1u) - E6M9_REBIAS;
  // An exponent of zero is zero itself.
  code = select(code, 0u, code < 512u);
  code = select(code, E6M9_NOT_FINITE, magnitude >= 0x7f800000u);
  return ((bits >> 16u) & 0x8000u) | code;
}

fn f32_of_e6m9(code: u32) -> f32 {
  let magnitude = code & 0x7fffu;
  var bits = select((magnitude + E6M9_REBIAS) << 14u, 0u, magnitude == 0u);
  bits = select(bits, 0x7fc00000u, magnitude == E6M9_NOT_FINITE);
  return bitcast<f32>(bits | ((code & 0x8000u) << 16u));
}
