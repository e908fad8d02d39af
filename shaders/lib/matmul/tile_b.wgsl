// Brings B to its tile in workgroup memory. B_NF4: a word of eight NF4 codes and their scale at a time
// (B_VECTORS 2), decoded in the tile from code points that lie in workgroup memory, a bank each. Otherwise
// four elements of any kind at a time (B_VECTORS 1).
// Buffers: weight_packed and those of lib/weight/nf4_scales.wgsl, or those of lib/weight/vec4.wgsl.
#if B_NF4
#include "lib/weight/nf4_scales.wgsl"
@group(0) @binding(4) var<storage, read> weight_packed: array<u32>;
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

// before: what the same invocation fetched B_SCALE_TERMS or fewer terms ago. Its scale holds here too unless
// `renewed`.
fn fetch_b(i: u32, renewed: bool, before: Fetched) -> Fetched {
  var scale = before.scale;
  if (renewed) {
    scale = weight_scale_from(i >> 6u, problem_block, problem_nested);
  }
  return Fetched(weight_packed[(problem_start + i) >> 3u], scale);
}

// The h-th four elements of a word.
fn b_vector(fetched: Fetched, h: u32) -> vec4f {
  let codes = (vec4u(fetched.word) >> (vec4u(4u, 0u, 12u, 8u) + 16u * h)) & vec4u(15u);
  return fetched.scale * vec4f(
    code_points[codes.x],
    code_points[codes.y],
    code_points[codes.z],
    code_points[codes.w],
  );
}
#else
#include "lib/weight/vec4.wgsl"
alias Fetched = Stored4;

fn begin_b(t: u32) {}

fn fetch_b(i: u32, renewed: bool, before: Fetched) -> Fetched {
  return stored4_at(problem_start + i);
}

fn b_vector(fetched: Fetched, h: u32) -> vec4f {
  return weight4_of(fetched);
}
#endif
