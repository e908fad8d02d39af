// attention_dq_serial.wgsl in tiles: blocks of BLOCK queries by 32 keys in workgroup memory. D is a multiple
// of 4.
// Buffers: dq, q, d_o [T, HEADS D]; k, v [T, HEADS / GROUP_SIZE D]; stats [T, HEADS, 2], (lse, delta);
//   document_start [T] u32, which never falls along T. Where MAKES_STATS, stats is written, as in
//   attention_delta.wgsl, of o [T, HEADS D] and lse [T, HEADS].
// Constants: those of attention_tiled.wgsl, and MAKES_STATS.
// Threads: one workgroup of THREADS a block of queries (x, the last first) and a head (y).
#include "lib/attention/scores.wgsl"
#include "lib/attention/tile.wgsl"
@group(0) @binding(0) var<storage, read_write> dq: array<vec4f>;
@group(0) @binding(1) var<storage, read> q: array<vec4f>;
@group(0) @binding(2) var<storage, read> k: array<vec4f>;
@group(0) @binding(3) var<storage, read> v: array<vec4f>;
@group(0) @binding(4) var<storage, read> d_o: array<vec4f>;
#if MAKES_STATS
@group(0) @binding(5) var<storage, read_write> stats: array<vec2f>;
@group(0) @binding(7) var<storage, read> o: array<vec4f>;
@group(0) @binding(8) var<storage, read> lse: array<f32>;
#else
@group(0) @binding(5) var<storage, read> stats: array<vec2f>;
#endif
@group(0) @binding(6) var<storage, read> document_start: array<u32>;

var<workgroup> q_tile: array<vec4f, BLOCK * STRIDE>;
var<workgroup> do_tile: array<vec4f, BLOCK * STRIDE>;
var<workgroup> key_tile: array<vec4f, COLUMNS * STRIDE>;
var<workgroup> v_tile: array<vec4f, COLUMNS * STRIDE>;
var<workgroup> factor_tile: array<vec4f, BLOCK * SLOT_STRIDE>;
var<workgroup> row_first: array<u32, BLOCK>;
var<workgroup> row_stats: array<vec2f, BLOCK>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let head = group.y;
  let key_head = head / GROUP_SIZE;
  let q0 = ((T - 1u) / BLOCK - group.x) * BLOCK;
  let x = local % 8u;
  let y = local / 8u;
  for (var e = local; e < BLOCK * N; e += THREADS) {
    let i = row_vector(e, q0, HEADS, head);
    q_tile[tile_slot(e)] = q[i];
    do_tile[tile_slot(e)] = d_o[i];
  }
#if MAKES_STATS
  // The eight invocations of a row add up its product of o and d_o.
#repeat r ROWS_PER_THREAD
  {
    let row = y + $ru * ACROSS;
    let first = (min(q0 + row, T - 1u) * HEADS + head) * N;
    var part = vec4f();
#repeat d VECTORS_PER_THREAD
    if (x + $du * 8u < N) {
      part = fma(o[first + x + $du * 8u], d_o[first + x + $du * 8u], part);
    }
#endrepeat
    factor_tile[row * SLOT_STRIDE + x] = part;
  }
#endrepeat
  workgroupBarrier();
#endif
  if (local < BLOCK) {
    let t = min(q0 + local, T - 1u);
    let query = t * HEADS + head;
    row_first[local] = first_key(t, document_start[t]);
#if MAKES_STATS
    var parts = vec4f();
#repeat i 8
    parts += factor_tile[local * SLOT_STRIDE + $iu];
#endrepeat
    row_stats[local] = vec2f(lse[query], parts.x + parts.y + parts.z + parts.w);
    if (q0 + local < T) {
      stats[query] = row_stats[local];
    }
#else
    row_stats[local] = stats[query];
#endif
  }
#repeat r ROWS_PER_THREAD
#repeat d VECTORS_PER_THREAD
  var sum$r_$d = vec4f();
#endrepeat
#endrepeat
  let last = min(q0 + BLOCK, T);
  let begin = first_key(q0, document_start[q0]);
#if PREFETCHES
#repeat e LOADS
  var key$e = k[row_vector(local + $eu * THREADS, begin, KEY_HEADS, key_head)];
  var value$e = v[row_vector(local + $eu * THREADS, begin, KEY_HEADS, key_head)];
#endrepeat
#endif
  for (var j0 = begin; j0 < last; j0 += COLUMNS) {
#if PREFETCHES
#else
#repeat e LOADS
    let key$e = k[row_vector(local + $eu * THREADS, j0, KEY_HEADS, key_head)];
    let value$e = v[row_vector(local + $eu * THREADS, j0, KEY_HEADS, key_head)];
#endrepeat
#endif
    workgroupBarrier();
#repeat e LOADS
    if (LOADS * THREADS == COLUMNS * N || local + $eu * THREADS < COLUMNS * N) {
      key_tile[tile_slot(local + $eu * THREADS)] = key$e;
    }
#endrepeat
#repeat e LOADS
    if (LOADS * THREADS == COLUMNS * N || local + $eu * THREADS < COLUMNS * N) {
      v_tile[tile_slot(local + $eu * THREADS)] = value$e;
    }
#endrepeat
    workgroupBarrier();
#if PREFETCHES
#repeat e LOADS
    key$e = k[row_vector(local + $eu * THREADS, j0 + COLUMNS, KEY_HEADS, key_head)];
    value$e = v[row_vector(local + $eu * THREADS, j0 + COLUMNS, KEY_HEADS, key_head)];
#endrepeat
#endif
#repeat r ROWS_PER_THREAD
    var product$r = vec4f();
    var dp$r = vec4f();
#endrepeat
#repeat i HEAD_VECTORS
    {
      let i = $iu;
#include "lib/attention/tile_scores.wgsl"
      let v0 = v_tile[x * STRIDE + i];
      let v1 = v_tile[(x + 8u) * STRIDE + i];
      let v2 = v_tile[(x + 16u) * STRIDE + i];
      let v3 = v_tile[(x + 24u) * STRIDE + i];
      let values_x = vec4f(v0.x, v1.x, v2.x, v3.x);
      let values_y = vec4f(v0.y, v1.y, v2.y, v3.y);
      let values_z = vec4f(v0.z, v1.z, v2.z, v3.z);
      let values_w = vec4f(v0.w, v1.w, v2.w, v3.w);
#repeat r ROWS_PER_THREAD
      let slope$r = do_tile[(y + $ru * ACROSS) * STRIDE + i];
      dp$r = fma(vec4f(slope$r.x), values_x, dp$r);
      dp$r = fma(vec4f(slope$r.y), values_y, dp$r);
      dp$r = fma(vec4f(slope$r.z), values_z, dp$r);
      dp$r = fma(vec4f(slope$r.w), values_w, dp$r);
#endrepeat
    }
#endrepeat
    let j = vec4u(j0 + x) + vec4u(0u, 8u, 16u, 24u);
#repeat r ROWS_PER_THREAD
    {
      let row = y + $ru * ACROSS;
      let seen = (j >= vec4u(row_first[row])) & (j <= vec4u(q0 + row));
      let score = attention_score(product$r);
      let ds = exp(score - row_stats[row].x) * (dp$r - row_stats[row].y) * attention_slope(score);
      factor_tile[row * SLOT_STRIDE + x] = select(vec4f(), ds, seen);
    }
#endrepeat
    workgroupBarrier();
#include "lib/attention/tile_sums.wgsl"
  }
#repeat r ROWS_PER_THREAD
  {
    let t = q0 + y + $ru * ACROSS;
#repeat d VECTORS_PER_THREAD
    if (t < T && x + $du * 8u < N) {
      dq[(t * HEADS + head) * N + x + $du * 8u] = sum$r_$d;
    }
#endrepeat
  }
#endrepeat
}
