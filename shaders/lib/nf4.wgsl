// An NF4 tensor with double-quantised scales (QLoRA, arXiv:2305.14314); element i is
//   value = nf4[code(i)] * (offset + map[absmax_q(i / 64)] * nested_absmax(i / 64 / 256))
// Codes: lib/nf4_words.wgsl. absmax_q: 4 a word.
// nested: [offset, nested_absmax...]. tables: the 256 values of the dynamic 8-bit map, then the 16 NF4 code points.
@group(0) @binding(5) var<storage, read> weight_absmax_q: array<u32>;
@group(0) @binding(6) var<storage, read> weight_nested: array<f32>;
@group(0) @binding(7) var<storage, read> weight_tables: array<f32>;

fn weight_scale(block: u32) -> f32 {
  return weight_scale_from(block, 0u, 0u);
}

// Of a tensor whose scales begin there in the buffers; first_block is a multiple of 4.
fn weight_scale_from(block: u32, first_block: u32, first_nested: u32) -> f32 {
  let q = (weight_absmax_q[(first_block + block) >> 2u] >> ((block & 3u) * 8u)) & 255u;
  return weight_nested[first_nested] + weight_tables[q] * weight_nested[first_nested + 1u + (block >> 8u)];
}
