// Brings B to its tile, four elements at a time.
#include "lib/weight4_{B_KIND}.wgsl"
alias Fetched = vec4f;
const B_UNIT: u32 = 4u;

fn begin_b(t: u32) {}

fn fetch_b(i: u32) -> Fetched {
  return weight4_at(member_start + i);
}

fn put_b(slot: u32, fetched: Fetched) {
  b_tile[slot] = Tile(fetched);
}
