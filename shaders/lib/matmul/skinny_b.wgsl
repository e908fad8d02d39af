// How matmul_skinny.wgsl reads B. B_NF4: an invocation's 32 terms of a stretch lie together, since they share
// a scale, and are read at once; every lane has code points in a memory bank of its own, so that neighbours
// never wait for each other. Otherwise vec4 of any other kind, of which neighbouring invocations read
// neighbouring ones.
// Buffers: weight_packed and those of lib/weight/nf4_scales.wgsl, or those of lib/weight/vec4.wgsl.
// Run: what an invocation reads of a stretch. term_of: where the q-th vec4 of an invocation lies in a
// stretch. b_run, b_scale: of the weight's elements from `stretch` on. b_vector: the q-th vec4 of a run,
// without its scale.
#if B_NF4
#include "lib/weight/nf4_scales.wgsl"
@group(0) @binding(4) var<storage, read> weight_packed: array<vec4u>;
var<workgroup> code_points: array<f32, 16u * LANES>;

alias Run = vec4u;

fn begin_b(t: u32) {
  for (var i = t; i < 16u * LANES; i += THREADS) {
    code_points[i] = weight_tables[256u + i / LANES];
  }
  workgroupBarrier();
}

fn term_of(lane: u32, q: u32) -> u32 {
  return lane * 32u + q * 4u;
}

fn b_run(stretch: u32, lane: u32) -> Run {
  return weight_packed[(problem_start + stretch) / 32u + lane];
}

fn b_scale(stretch: u32, lane: u32) -> f32 {
  return weight_scale_from((stretch + lane * 32u) >> 6u, problem_block, problem_nested);
}

fn b_vector(run: Run, lane: u32, q: u32) -> vec4f {
  let word = run[q / 2u] >> (q % 2u * 16u);
  let banks = vec4u(word << 1u, word << 5u, word >> 7u, word >> 3u) & vec4u(15u * LANES);
  return vec4f(
    code_points[banks.x | lane],
    code_points[banks.y | lane],
    code_points[banks.z | lane],
    code_points[banks.w | lane],
  );
}
#else
#include "lib/weight/vec4.wgsl"

// Where the run begins.
alias Run = u32;

fn begin_b(t: u32) {}

fn term_of(lane: u32, q: u32) -> u32 {
  return (q * LANES + lane) * 4u;
}

fn b_run(stretch: u32, lane: u32) -> Run {
  return problem_start + stretch;
}

fn b_scale(stretch: u32, lane: u32) -> f32 {
  return 1.0;
}

fn b_vector(run: Run, lane: u32, q: u32) -> vec4f {
  return weight4_at(run + term_of(lane, q));
}
#endif
