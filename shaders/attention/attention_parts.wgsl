// attention_tiled.wgsl for heads that workgroup memory does not hold: they go through it in parts. Scores are
// sums over all parts; then the parts of the values follow.
// Buffers: o, q [T, HEADS D]; lse [T, HEADS]; k, v [T, HEADS / GROUP_SIZE D]; document_start [T] u32, which
//   never falls along T.
// Constants: those of attention_serial.wgsl but VECTOR_WIDTH, and those of lib/attention/parts.wgsl.
// Threads: one workgroup of THREADS a block of queries (x, the last first, since it has the most keys) and a
//   head (y).
#include "lib/attention/scores.wgsl"
#include "lib/attention/parts.wgsl"
@group(0) @binding(0) var<storage, read_write> o: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> lse: array<f32>;
@group(0) @binding(2) var<storage, read> q: array<vec4f>;
@group(0) @binding(3) var<storage, read> k: array<vec4f>;
@group(0) @binding(4) var<storage, read> v: array<vec4f>;
@group(0) @binding(5) var<storage, read> document_start: array<u32>;

var<workgroup> q_tile: array<vec4f, BLOCK * STRIDE>;
var<workgroup> key_tile: array<vec4f, COLUMNS * STRIDE>;
var<workgroup> factor_tile: array<vec4f, BLOCK * SLOT_STRIDE>;
// Of each row, what its eight invocations have each of their own keys: the largest score, at last the mass.
var<workgroup> row_parts: array<f32, BLOCK * 8u>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let head = group.y;
  let key_head = head / GROUP_SIZE;
  let q0 = ((T - 1u) / BLOCK - group.x) * BLOCK;
  let x = local % 8u;
  let y = local / 8u;
  let own = min(q0 + y, T - 1u);
  let own_first = first_key(own, document_start[own]);
  var largest = -3.0e38;
  var total = 0.0;
#repeat p PARTS
#repeat d VECTORS_PER_PART
  var sum$p_$d = vec4f();
#endrepeat
#endrepeat
  let last = min(q0 + BLOCK, T);
  for (var j0 = first_key(q0, document_start[q0]); j0 < last; j0 += COLUMNS) {
    var product0 = vec4f();
    for (var part = 0u; part < PARTS; part++) {
      workgroupBarrier();
      for (var e = local; e < BLOCK * PART; e += THREADS) {
        q_tile[tile_slot(e)] = q[part_vector(e, part, q0, HEADS, head)];
      }
      for (var e = local; e < COLUMNS * PART; e += THREADS) {
        key_tile[tile_slot(e)] = k[part_vector(e, part, j0, KEY_HEADS, key_head)];
      }
      workgroupBarrier();
      for (var i = 0u; i < PART; i++) {
#include "lib/attention/tile_scores.wgsl"
      }
    }
    let j = vec4u(j0 + x) + vec4u(0u, 8u, 16u, 24u);
    let seen = (j >= vec4u(own_first)) & (j <= vec4u(q0 + y));
    let score = select(vec4f(-3.0e38), attention_score(product0), seen);
    row_parts[y * 8u + x] = max(max(score.x, score.y), max(score.z, score.w));
    workgroupBarrier();
    var next = largest;
#repeat c 8
    next = max(next, row_parts[y * 8u + $cu]);
#endrepeat
    let shrink = exp(largest - next);
    let p = select(vec4f(), exp(score - next), seen);
    factor_tile[y * SLOT_STRIDE + x] = p;
    total = total * shrink + (p.x + p.y + p.z + p.w);
    largest = next;
#repeat p PARTS
#repeat d VECTORS_PER_PART
    sum$p_$d *= shrink;
#endrepeat
    workgroupBarrier();
    for (var e = local; e < COLUMNS * PART; e += THREADS) {
      key_tile[tile_slot(e)] = v[part_vector(e, $pu, j0, KEY_HEADS, key_head)];
    }
    workgroupBarrier();
    for (var s = 0u; s < 8u; s++) {
      let factor = factor_tile[y * SLOT_STRIDE + s];
#repeat d VECTORS_PER_PART
      let column$d = min(x + $du * 8u, PART - 1u);
      sum$p_$d = fma(vec4f(factor.x), key_tile[s * STRIDE + column$d], sum$p_$d);
      sum$p_$d = fma(vec4f(factor.y), key_tile[(s + 8u) * STRIDE + column$d], sum$p_$d);
      sum$p_$d = fma(vec4f(factor.z), key_tile[(s + 16u) * STRIDE + column$d], sum$p_$d);
      sum$p_$d = fma(vec4f(factor.w), key_tile[(s + 24u) * STRIDE + column$d], sum$p_$d);
#endrepeat
    }
#endrepeat
  }
  workgroupBarrier();
  row_parts[y * 8u + x] = total;
  workgroupBarrier();
  total = 0.0;
#repeat c 8
  total += row_parts[y * 8u + $cu];
#endrepeat
  if (q0 + y < T) {
    if (x == 0u) {
      lse[(q0 + y) * HEADS + head] = largest + log(total);
    }
#repeat p PARTS
#repeat d VECTORS_PER_PART
    if (x + $du * 8u < PART) {
      o[((q0 + y) * HEADS + head) * N + $pu * PART + x + $du * 8u] = sum$p_$d / total;
    }
#endrepeat
#endrepeat
  }
}
