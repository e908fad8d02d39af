// What matmul_rows.wgsl reads of a weight of any kind but NF4: fours of which neighbours have neighbouring ones.
#include "lib/weight4_{B_KIND}.wgsl"

fn begin_run(t: u32) {}

// Where the q-th four of an invocation lies in a stretch of 1024 terms.
fn term_of(lane: u32, q: u32) -> u32 {
  return (q * 32u + lane) * 4u;
}

fn run_scale(stretch: u32, lane: u32) -> f32 {
  return 1.0;
}

fn run_four(i: u32) -> vec4f {
  return weight4_at(member_start + i);
}
