// The scale of a block of 64 elements of an NF4 tensor (QLoRA, arXiv:2305.14314). Element i is
//   value = nf4[code(i)] scale(i / 64)
// WEIGHT_KIND nf4: scales are quantised themselves (double quantisation),
//   scale(b) = nested[0] + map[absmax_q[b]] nested[1 + b / 256]
// WEIGHT_KIND nf4_f32: scale(b) = absmax[b] in float32.
// Buffers: weight_absmax_q (four scales a word) and weight_nested, or weight_absmax; weight_tables, the 256
//   values of the dynamic 8-bit map and then the 16 code points.
#if WEIGHT_KIND == nf4
@group(0) @binding(5) var<storage, read> weight_absmax_q: array<u32>;
@group(0) @binding(6) var<storage, read> weight_nested: array<f32>;
#elif WEIGHT_KIND == nf4_f32
@group(0) @binding(5) var<storage, read> weight_absmax: array<f32>;
#endif
@group(0) @binding(7) var<storage, read> weight_tables: array<f32>;

// The scale of a block of a tensor whose scales begin at first_block and first_nested of buffers that several
// tensors share. first_block is a multiple of 4.
fn weight_scale_from(block: u32, first_block: u32, first_nested: u32) -> f32 {
#if WEIGHT_KIND == nf4
  let q = (weight_absmax_q[(first_block + block) >> 2u] >> ((block & 3u) * 8u)) & 255u;
  return weight_nested[first_nested] + weight_tables[q] * weight_nested[first_nested + 1u + (block >> 8u)];
#elif WEIGHT_KIND == nf4_f32
  return weight_absmax[first_block + block];
#endif
}

fn weight_scale(block: u32) -> f32 {
#if WEIGHT_KIND == nf4
  return weight_scale_from(block, 0u, 0u);
#elif WEIGHT_KIND == nf4_f32
  return weight_absmax[block];
#endif
}
