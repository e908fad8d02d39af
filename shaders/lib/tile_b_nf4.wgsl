// Brings an NF4 operand to its tile: a word of eight codes and their scale at a time (B_FOURS 2); the code points lie in workgroup memory, a bank each.
#include "lib/{B_KIND}.wgsl"
#include "lib/nf4_words.wgsl"
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

// `before`: what the same invocation fetched B_SCALE_TERMS or fewer terms ago, of whose block this is too unless `renewed`.
fn fetch_b(i: u32, renewed: bool, before: Fetched) -> Fetched {
  var scale = before.scale;
  if (renewed) {
    scale = weight_scale_from(i >> 6u, member_block, member_nested);
  }
  return Fetched(weight_packed[(member_start + i) >> 3u], scale);
}

// The h-th four of a word.
fn four_of(fetched: Fetched, h: u32) -> vec4f {
  let codes = (vec4u(fetched.word) >> (vec4u(4u, 0u, 12u, 8u) + 16u * h)) & vec4u(15u);
  return fetched.scale * vec4f(code_points[codes.x], code_points[codes.y], code_points[codes.z], code_points[codes.w]);
}
