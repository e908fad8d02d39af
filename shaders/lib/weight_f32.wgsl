// Reads element i of an f32 array.
@group(0) @binding(4) var<storage, read> weight_data: array<f32>;

fn weight_at(i: u32) -> f32 {
  return weight_data[i];
}
