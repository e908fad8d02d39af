// Results of a product, element by element: C at C_OFFSET + m C_ROW + n, or [SPLIT, M, N] partial sums.
@group(0) @binding(0) var<storage, read_write> c: array<f32>;

fn store(m: u32, n: u32, slice: u32, value: f32) {
  if (n >= N) {
    return;
  }
  if (SPLIT > 1u) {
    c[(slice * M + m) * N + n] = value;
    return;
  }
  let i = C_OFFSET + m * C_ROW + n;
  if (ACCUMULATE) {
    c[i] += ALPHA * value;
  } else {
    c[i] = ALPHA * value;
  }
}

fn store4(m: u32, n: u32, slice: u32, value: vec4f) {
  store(m, n, slice, value.x);
  store(m, n + 1u, slice, value.y);
  store(m, n + 2u, slice, value.z);
  store(m, n + 3u, slice, value.w);
}
