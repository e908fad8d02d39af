// attention_dq_tiled.wgsl for heads that workgroup memory does not hold: they go through it in parts.
// Buffers: dq, q, d_o [T, HEADS D]; k, v [T, HEADS / GROUP_SIZE D]; stats [T, HEADS, 2], (lse, delta);
//   document_start [T] u32, which never falls along T.
// Constants: those of attention_parts.wgsl.
// Threads: one workgroup of THREADS a block of queries (x, the last first) and a head (y).
#include "lib/attention/scores.wgsl"
#include "lib/attention/parts.wgsl"
@group(0) @binding(0) var<storage, read_write> dq: array<vec4f>;
@group(0) @binding(1) var<storage, read> q: array<vec4f>;
@group(0) @binding(2) var<storage, read> k: array<vec4f>;
@group(0) @binding(3) var<storage, read> v: array<vec4f>;
@group(0) @binding(4) var<storage, read> d_o: array<vec4f>;
@group(0) @binding(5) var<storage, read> stats: array<vec2f>;
@group(0) @binding(6) var<storage, read> document_start: array<u32>;

var<workgroup> q_tile: array<vec4f, BLOCK * STRIDE>;
var<workgroup> do_tile: array<vec4f, BLOCK * STRIDE>;
var<workgroup> key_tile: array<vec4f, COLUMNS * STRIDE>;
var<workgroup> v_tile: array<vec4f, COLUMNS * STRIDE>;
var<workgroup> factor_tile: array<vec4f, BLOCK * SLOT_STRIDE>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let head = group.y;
  let key_head = head / GROUP_SIZE;
  let q0 = ((T - 1u) / BLOCK - group.x) * BLOCK;
  let x = local % 8u;
  let y = local / 8u;
  let own = min(q0 + y, T - 1u);
  let own_first = first_key(own, document_start[own]);
  let own_stats = stats[own * HEADS + head];
#repeat p PARTS
#repeat d VECTORS_PER_PART
  var sum$p_$d = vec4f();
#endrepeat
#endrepeat
  let last = min(q0 + BLOCK, T);
  for (var j0 = first_key(q0, document_start[q0]); j0 < last; j0 += COLUMNS) {
    var product0 = vec4f();
    var dp = vec4f();
    for (var part = 0u; part < PARTS; part++) {
      workgroupBarrier();
      for (var e = local; e < BLOCK * PART; e += THREADS) {
        let from_row = part_vector(e, part, q0, HEADS, head);
        q_tile[tile_slot(e)] = q[from_row];
        do_tile[tile_slot(e)] = d_o[from_row];
      }
      for (var e = local; e < COLUMNS * PART; e += THREADS) {
        let from_key = part_vector(e, part, j0, KEY_HEADS, key_head);
        key_tile[tile_slot(e)] = k[from_key];
        v_tile[tile_slot(e)] = v[from_key];
      }
      workgroupBarrier();
      for (var i = 0u; i < PART; i++) {
#include "lib/attention/tile_scores.wgsl"
        let slope = do_tile[y * STRIDE + i];
        dp += vec4f(
          dot(slope, v_tile[x * STRIDE + i]),
          dot(slope, v_tile[(x + 8u) * STRIDE + i]),
          dot(slope, v_tile[(x + 16u) * STRIDE + i]),
          dot(slope, v_tile[(x + 24u) * STRIDE + i]),
        );
      }
    }
    let j = vec4u(j0 + x) + vec4u(0u, 8u, 16u, 24u);
    let seen = (j >= vec4u(own_first)) & (j <= vec4u(q0 + y));
    let score = attention_score(product0);
    let ds = exp(score - own_stats.x) * (dp - own_stats.y) * attention_slope(score);
    factor_tile[y * SLOT_STRIDE + x] = select(vec4f(), ds, seen);
#repeat p PARTS
    workgroupBarrier();
    for (var e = local; e < COLUMNS * PART; e += THREADS) {
      key_tile[tile_slot(e)] = k[part_vector(e, $pu, j0, KEY_HEADS, key_head)];
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
  if (q0 + y < T) {
#repeat p PARTS
#repeat d VECTORS_PER_PART
    if (x + $du * 8u < PART) {
      dq[((q0 + y) * HEADS + head) * N + $pu * PART + x + $du * 8u] = sum$p_$d;
    }
#endrepeat
#endrepeat
  }
}
