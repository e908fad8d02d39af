// Brings B to its tile, four elements at a time (B_FOURS 1).
#include "lib/weight4_{B_KIND}.wgsl"
alias Fetched = vec4f;

fn begin_b(t: u32) {}

fn fetch_b(i: u32, renewed: bool, before: Fetched) -> Fetched {
  return weight4_at(member_start + i);
}

fn four_of(fetched: Fetched, h: u32) -> vec4f {
  return fetched;
}
