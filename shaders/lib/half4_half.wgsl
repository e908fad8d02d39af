// Reads elements i to i + 3 of a float16 array that dequantize_nf4_words.wgsl wrote; i is a multiple of 4.
@group(0) @binding(4) var<storage, read> weight_data: array<vec4<f16>>;

fn half4_at(i: u32) -> vec4<f16> {
  return weight_data[i >> 2u];
}
