// Runs of 32 elements of a weight of any kind but NF4.
#include "lib/weight4_{B_KIND}.wgsl"

fn begin_run(t: u32) {}

fn run_scale(first: u32) -> f32 {
  return 1.0;
}

fn run_four(first: u32, q: u32) -> vec4f {
  return weight4_at(member_start + first + q * 4u);
}
