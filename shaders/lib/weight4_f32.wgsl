// Reads elements i to i + 3 of an f32 array; i is a multiple of 4.
@group(0) @binding(4) var<storage, read> weight_data: array<vec4f>;

fn weight4_at(i: u32) -> vec4f {
  return weight_data[i >> 2u];
}
