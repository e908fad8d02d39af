// Runs of 32 elements of an NF4 weight, which share a scale: code points two at a time, by the byte that holds both codes.
#include "lib/{B_KIND}.wgsl"
var<workgroup> code_pairs: array<vec2f, 256>;

fn begin_run(t: u32) {
  for (var byte = t; byte < 256u; byte += THREADS) {
    code_pairs[byte] = vec2f(weight_tables[256u + (byte >> 4u)], weight_tables[256u + (byte & 15u)]);
  }
  workgroupBarrier();
}

fn run_scale(first: u32) -> f32 {
  return weight_scale_from(first >> 6u, member_block, member_nested);
}

// The q-th four of a run.
fn run_four(first: u32, q: u32) -> vec4f {
  let word = weight_packed[(member_start + first) / 8u + q / 2u] >> (q % 2u * 16u);
  return vec4f(code_pairs[word & 255u], code_pairs[(word >> 8u) & 255u]);
}
