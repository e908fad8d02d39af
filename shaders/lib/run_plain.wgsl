// What matmul_rows.wgsl reads of a weight of any kind but NF4: fours of which neighbours have neighbouring ones.
#include "lib/weight4_{B_KIND}.wgsl"

// Where it begins.
alias Run = u32;

fn begin_run(t: u32) {}

// Where the q-th four of an invocation lies in a stretch.
fn term_of(lane: u32, q: u32) -> u32 {
  return (q * LANES + lane) * 4u;
}

// Of the weight's elements from `stretch` on.
fn run_of(stretch: u32, lane: u32) -> Run {
  return member_start + stretch;
}

fn run_scale(stretch: u32, lane: u32) -> f32 {
  return 1.0;
}

fn run_four(run: Run, lane: u32, q: u32) -> vec4f {
  return weight4_at(run + term_of(lane, q));
}
