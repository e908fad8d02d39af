// Results of a product, four at a time: as c_scalar.wgsl where N, C_OFFSET and C_ROW are multiples of 4 and B does not run along k.
@group(0) @binding(0) var<storage, read_write> c: array<vec4f>;

fn store4(m: u32, n: u32, slice: u32, value: vec4f) {
  if (n >= N) {
    return;
  }
  if (SPLIT > 1u) {
    c[((slice * M + m) * N + n) / 4u] = value;
    return;
  }
  let i = (C_OFFSET + m * C_ROW + n) / 4u;
  if (ACCUMULATE) {
    c[i] += ALPHA * value;
  } else {
    c[i] = ALPHA * value;
  }
}

fn store(m: u32, n: u32, slice: u32, value: f32) {}
