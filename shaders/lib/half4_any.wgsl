// Reads elements i to i + 3 of a weight of any kind, rounded to float16; i is a multiple of 4.
#include "lib/weight4_{B_KIND}.wgsl"

fn half4_at(i: u32) -> vec4<f16> {
  return vec4<f16>(weight4_at(i));
}
