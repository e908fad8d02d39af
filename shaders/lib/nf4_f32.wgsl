// An NF4 tensor whose scales are float32, not quantised themselves; element i is
//   value = nf4[code(i)] * absmax(i / 64)
// Codes: lib/nf4_words.wgsl. Tables: as in lib/nf4.wgsl. absmax: one a block.
@group(0) @binding(5) var<storage, read> weight_absmax: array<f32>;
@group(0) @binding(7) var<storage, read> weight_tables: array<f32>;

fn weight_scale(block: u32) -> f32 {
  return weight_absmax[block];
}

// Of a tensor whose scales begin there in the buffer.
fn weight_scale_from(block: u32, first_block: u32, first_nested: u32) -> f32 {
  return weight_absmax[first_block + block];
}
