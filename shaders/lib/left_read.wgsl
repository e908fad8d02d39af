// A of matmul_rows.wgsl, read where it lies.
fn begin_four(k: u32, q: u32, t: u32) {}

fn left_four(row: u32, k: u32, lane: u32, q: u32) -> vec4f {
  return a[(A_OFFSET + row * A_ROW + k + term_of(lane, q)) / 4u];
}
