// Brings an NF4 operand to its tile: a word of eight codes and their scale at a time; the code points lie in workgroup memory, a bank each.
#include "lib/{B_KIND}.wgsl"
#include "lib/nf4_words.wgsl"
const B_UNIT: u32 = 8u;
var<workgroup> code_points: array<f32, 16>;

struct Fetched {
  word: u32,
  scale: f32,
}

fn begin_b(t: u32) {
  if (t < 16u) {
    code_points[t] = weight_tables[256u + t];
  }
  workgroupBarrier();
}

fn fetch_b(i: u32) -> Fetched {
  return Fetched(weight_packed[(member_start + i) >> 3u], weight_scale_from(i >> 6u, member_block, member_nested));
}

fn put_b(slot: u32, fetched: Fetched) {
  let low = (vec4u(fetched.word) >> vec4u(4u, 0u, 12u, 8u)) & vec4u(15u);
  let high = (vec4u(fetched.word) >> vec4u(20u, 16u, 28u, 24u)) & vec4u(15u);
  b_tile[slot] = Tile(fetched.scale * vec4f(code_points[low.x], code_points[low.y], code_points[low.z], code_points[low.w]));
  b_tile[slot + 1u] = Tile(fetched.scale * vec4f(code_points[high.x], code_points[high.y], code_points[high.z], code_points[high.w]));
}
