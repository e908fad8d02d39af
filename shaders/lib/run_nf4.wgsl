// What matmul_rows.wgsl reads of an NF4 weight: an invocation's 32 terms of a stretch lie together, since they share a scale, and are read at once. Every
// lane has code points in a memory bank of its own, so that neighbours never wait for each other.
#include "lib/{B_KIND}.wgsl"
@group(0) @binding(4) var<storage, read> weight_packed: array<vec4u>;
var<workgroup> code_points: array<f32, 16u * LANES>;

alias Run = vec4u;

fn begin_run(t: u32) {
  for (var i = t; i < 16u * LANES; i += THREADS) {
    code_points[i] = weight_tables[256u + i / LANES];
  }
  workgroupBarrier();
}

// Where the q-th four of an invocation lies in a stretch.
fn term_of(lane: u32, q: u32) -> u32 {
  return lane * 32u + q * 4u;
}

// Of the weight's elements from `stretch` on.
fn run_of(stretch: u32, lane: u32) -> Run {
  return weight_packed[(member_start + stretch) / 32u + lane];
}

fn run_scale(stretch: u32, lane: u32) -> f32 {
  return weight_scale_from((stretch + lane * 32u) >> 6u, member_block, member_nested);
}

fn run_four(run: Run, lane: u32, q: u32) -> vec4f {
  let word = run[q / 2u] >> (q % 2u * 16u);
  let banks = vec4u(word << 1u, word << 5u, word >> 7u, word >> 3u) & vec4u(15u * LANES);
  return vec4f(code_points[banks.x | lane], code_points[banks.y | lane], code_points[banks.z | lane], code_points[banks.w | lane]);
}
