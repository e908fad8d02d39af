// NF4 codes of blocks of 64 elements (QLoRA, arXiv:2305.14314) from the checkpoint's bits. With absmax the
// largest magnitude of a block,
//   code(i) = how many of the 15 middles between code points are below x[i] / absmax
// Codes must be exactly those of src/quant/nf4Code.ts, which rounds 1 / absmax and the product to f32, and
// WGSL promises neither for a division. So a comparison that is closer than MARGIN, which is far above any
// error of the division and the product, is not decided here: its block is marked by the sign of its absmax.
// So is a block whose absmax is so small or large that a driver may flush or overflow, or is NaN or infinite.
// The host quantises the marked blocks, about one in 500. absmax itself is a maximum of bits, hence exact.
// Buffers, with B blocks as long as the binding of absmax says: packed [B, 8] u32 (two codes a byte, the even
//   element in the high nibble); absmax [B], the bits of an f32; x [B, 64] elements.
// Constants: M0 to M14, the middles; MARGIN; LEAST_EXPONENT, LARGEST_EXPONENT; DTYPE 0: f32, 1: bf16, 2: f16,
//   of which two elements share a word, the first in the low half.
// Threads: one invocation a block.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> packed: array<u32>;
@group(0) @binding(1) var<storage, read_write> absmax: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<u32>;

const MIDDLES = array<f32, 15>(M0, M1, M2, M3, M4, M5, M6, M7, M8, M9, M10, M11, M12, M13, M14);

// The bits of element i as an f32. A denormal f16 is made by an exact product.
fn element(i: u32) -> u32 {
  if (DTYPE == 0u) {
    return x[i];
  }
  let half = (x[i >> 1u] >> ((i & 1u) * 16u)) & 0xffffu;
  if (DTYPE == 1u) {
    return half << 16u;
  }
  let sign = (half & 0x8000u) << 16u;
  let exponent = (half >> 10u) & 31u;
  let fraction = half & 1023u;
  if (exponent == 0u) {
    return sign | bitcast<u32>(f32(fraction) * 5.9604644775390625e-8);
  }
  return sign | (select(exponent + 112u, 255u, exponent == 31u) << 23u) | (fraction << 13u);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let block = flat_index(group, groups, local, 64u);
  if (block >= arrayLength(&absmax)) {
    return;
  }
  // Magnitudes compare as their bits do. NaN and infinity are above every number.
  var largest = 0u;
  for (var i = 0u; i < 64u; i++) {
    largest = max(largest, element(block * 64u + i) & 0x7fffffffu);
  }
  let exponent = largest >> 23u;
  var marked = exponent < LEAST_EXPONENT || exponent > LARGEST_EXPONENT;
  let inverse = 1.0 / bitcast<f32>(select(largest, 0x3f800000u, marked));
  var middles = MIDDLES;
  for (var w = 0u; w < 8u; w++) {
    var word = 0u;
    for (var j = 0u; j < 8u; j++) {
      let y = bitcast<f32>(element(block * 64u + w * 8u + j)) * inverse;
      var code = 0u;
      for (var m = 0u; m < 15u; m++) {
        let above = y - middles[m];
        code += select(0u, 1u, above > 0.0);
        marked = marked || abs(above) < MARGIN;
      }
      word |= code << (((j >> 1u) * 8u) + select(4u, 0u, (j & 1u) == 1u));
    }
    packed[block * 8u + w] = word;
  }
  absmax[block] = largest | select(0u, 0x80000000u, marked);
}
