// What matmul_rows.wgsl reads of an NF4 weight: an invocation's 32 terms lie together, since they share a scale. Code points come two at a time, by the byte
// that holds both codes.
#include "lib/{B_KIND}.wgsl"
var<workgroup> code_pairs: array<vec2f, 256>;

fn begin_run(t: u32) {
  for (var byte = t; byte < 256u; byte += THREADS) {
    code_pairs[byte] = vec2f(weight_tables[256u + (byte >> 4u)], weight_tables[256u + (byte & 15u)]);
  }
  workgroupBarrier();
}

// Where the q-th four of an invocation lies in a stretch of 1024 terms.
fn term_of(lane: u32, q: u32) -> u32 {
  return lane * 32u + q * 4u;
}

fn run_scale(stretch: u32, lane: u32) -> f32 {
  return weight_scale_from((stretch + lane * 32u) >> 6u, member_block, member_nested);
}

fn run_four(i: u32) -> vec4f {
  let word = weight_packed[(member_start + i) / 8u] >> (i / 4u % 2u * 16u);
  return vec4f(code_pairs[word & 255u], code_pairs[(word >> 8u) & 255u]);
}
