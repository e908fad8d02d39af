// attention_dkv_serial.wgsl in tiles: blocks of BLOCK keys by 32 queries in workgroup memory. D is a multiple
// of 4. Slice z of SPLIT_HEADS takes GROUP_SIZE / SPLIT_HEADS of the heads that share a key head. Where
// SPLIT_HEADS is above 1 it writes partial sums [SPLIT_HEADS, T, HEADS / GROUP_SIZE D], which
// split_k_reduce.wgsl adds up.
// Buffers: dk, dv, k, v [T, HEADS / GROUP_SIZE D]; q, d_o [T, HEADS D]; stats [T, HEADS, 2]; document_end [T]
//   u32, which never falls along T.
// Constants: those of attention_tiled.wgsl, and SPLIT_HEADS.
// Threads: one workgroup of THREADS a block of keys (x), a key head (y) and a slice of the heads (z).
#include "lib/attention/scores.wgsl"
#include "lib/attention/tile.wgsl"
@group(0) @binding(0) var<storage, read_write> dk: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> dv: array<vec4f>;
@group(0) @binding(2) var<storage, read> q: array<vec4f>;
@group(0) @binding(3) var<storage, read> k: array<vec4f>;
@group(0) @binding(4) var<storage, read> v: array<vec4f>;
@group(0) @binding(5) var<storage, read> d_o: array<vec4f>;
@group(0) @binding(6) var<storage, read> stats: array<vec2f>;
@group(0) @binding(7) var<storage, read> document_end: array<u32>;

var<workgroup> k_tile: array<vec4f, BLOCK * STRIDE>;
var<workgroup> v_tile: array<vec4f, BLOCK * STRIDE>;
var<workgroup> q_tile: array<vec4f, COLUMNS * STRIDE>;
var<workgroup> do_tile: array<vec4f, COLUMNS * STRIDE>;
var<workgroup> p_tile: array<vec4f, BLOCK * SLOT_STRIDE>;
var<workgroup> ds_tile: array<vec4f, BLOCK * SLOT_STRIDE>;
var<workgroup> row_end: array<u32, BLOCK>;
var<workgroup> column_stats: array<vec2f, COLUMNS>;

// The queries that see key j are those from j itself up to, but not including, this one.
fn end_of(j: u32) -> u32 {
  if (WINDOW > 0u) {
    return min(document_end[j], j + WINDOW);
  }
  return document_end[j];
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let key_head = group.y;
  let j0 = group.x * BLOCK;
  let x = local % 8u;
  let y = local / 8u;
  for (var e = local; e < BLOCK * N; e += THREADS) {
    let i = row_vector(e, j0, KEY_HEADS, key_head);
    k_tile[tile_slot(e)] = k[i];
    v_tile[tile_slot(e)] = v[i];
  }
  if (local < BLOCK) {
    row_end[local] = end_of(min(j0 + local, T - 1u));
  }
#repeat r ROWS_PER_THREAD
#repeat d VECTORS_PER_THREAD
  var dk$r_$d = vec4f();
  var dv$r_$d = vec4f();
#endrepeat
#endrepeat
  let end = end_of(min(j0 + BLOCK, T) - 1u);
  let first_head = key_head * GROUP_SIZE + group.z * (GROUP_SIZE / SPLIT_HEADS);
#if PREFETCHES
#repeat e LOADS
  var query$e = q[row_vector(local + $eu * THREADS, j0, HEADS, first_head)];
  var slope$e = d_o[row_vector(local + $eu * THREADS, j0, HEADS, first_head)];
#endrepeat
#endif
  for (var head = first_head; head < first_head + GROUP_SIZE / SPLIT_HEADS; head++) {
    for (var t0 = j0; t0 < end; t0 += COLUMNS) {
#if PREFETCHES
#else
#repeat e LOADS
      let query$e = q[row_vector(local + $eu * THREADS, t0, HEADS, head)];
      let slope$e = d_o[row_vector(local + $eu * THREADS, t0, HEADS, head)];
#endrepeat
#endif
      workgroupBarrier();
#repeat e LOADS
      if (LOADS * THREADS == COLUMNS * N || local + $eu * THREADS < COLUMNS * N) {
        q_tile[tile_slot(local + $eu * THREADS)] = query$e;
      }
#endrepeat
#repeat e LOADS
      if (LOADS * THREADS == COLUMNS * N || local + $eu * THREADS < COLUMNS * N) {
        do_tile[tile_slot(local + $eu * THREADS)] = slope$e;
      }
#endrepeat
      if (local < COLUMNS) {
        column_stats[local] = stats[min(t0 + local, T - 1u) * HEADS + head];
      }
      workgroupBarrier();
#if PREFETCHES
      // After a head's last block comes the next head's first.
      let is_last = t0 + COLUMNS >= end;
      let next_t = select(t0 + COLUMNS, j0, is_last);
      let next_head = select(head, min(head + 1u, HEADS - 1u), is_last);
#repeat e LOADS
      query$e = q[row_vector(local + $eu * THREADS, next_t, HEADS, next_head)];
      slope$e = d_o[row_vector(local + $eu * THREADS, next_t, HEADS, next_head)];
#endrepeat
#endif
#repeat r ROWS_PER_THREAD
      var product$r = vec4f();
      var dp$r = vec4f();
#endrepeat
#repeat i HEAD_VECTORS
      {
        let i = $iu;
        let q0 = q_tile[x * STRIDE + i];
        let q1 = q_tile[(x + 8u) * STRIDE + i];
        let q2 = q_tile[(x + 16u) * STRIDE + i];
        let q3 = q_tile[(x + 24u) * STRIDE + i];
        let queries_x = vec4f(q0.x, q1.x, q2.x, q3.x);
        let queries_y = vec4f(q0.y, q1.y, q2.y, q3.y);
        let queries_z = vec4f(q0.z, q1.z, q2.z, q3.z);
        let queries_w = vec4f(q0.w, q1.w, q2.w, q3.w);
#repeat r ROWS_PER_THREAD
        let key$r = k_tile[(y + $ru * ACROSS) * STRIDE + i];
        product$r = fma(vec4f(key$r.x), queries_x, product$r);
        product$r = fma(vec4f(key$r.y), queries_y, product$r);
        product$r = fma(vec4f(key$r.z), queries_z, product$r);
        product$r = fma(vec4f(key$r.w), queries_w, product$r);
#endrepeat
        let o0 = do_tile[x * STRIDE + i];
        let o1 = do_tile[(x + 8u) * STRIDE + i];
        let o2 = do_tile[(x + 16u) * STRIDE + i];
        let o3 = do_tile[(x + 24u) * STRIDE + i];
        let slopes_x = vec4f(o0.x, o1.x, o2.x, o3.x);
        let slopes_y = vec4f(o0.y, o1.y, o2.y, o3.y);
        let slopes_z = vec4f(o0.z, o1.z, o2.z, o3.z);
        let slopes_w = vec4f(o0.w, o1.w, o2.w, o3.w);
#repeat r ROWS_PER_THREAD
        let value$r = v_tile[(y + $ru * ACROSS) * STRIDE + i];
        dp$r = fma(vec4f(value$r.x), slopes_x, dp$r);
        dp$r = fma(vec4f(value$r.y), slopes_y, dp$r);
        dp$r = fma(vec4f(value$r.z), slopes_z, dp$r);
        dp$r = fma(vec4f(value$r.w), slopes_w, dp$r);
#endrepeat
      }
#endrepeat
      let t = vec4u(t0 + x) + vec4u(0u, 8u, 16u, 24u);
      let lse = vec4f(
        column_stats[x].x,
        column_stats[x + 8u].x,
        column_stats[x + 16u].x,
        column_stats[x + 24u].x,
      );
      let delta = vec4f(
        column_stats[x].y,
        column_stats[x + 8u].y,
        column_stats[x + 16u].y,
        column_stats[x + 24u].y,
      );
#repeat r ROWS_PER_THREAD
      {
        let row = y + $ru * ACROSS;
        let sees = (t >= vec4u(j0 + row)) & (t < vec4u(row_end[row]));
        let score = attention_score(product$r);
        let p = select(vec4f(), exp(score - lse), sees);
        p_tile[row * SLOT_STRIDE + x] = p;
        ds_tile[row * SLOT_STRIDE + x] = select(vec4f(), p * (dp$r - delta) * attention_slope(score), sees);
      }
#endrepeat
      workgroupBarrier();
#repeat s 8
      {
        let s = $su;
#repeat r ROWS_PER_THREAD
        let ds$r = ds_tile[(y + $ru * ACROSS) * SLOT_STRIDE + s];
        let p$r = p_tile[(y + $ru * ACROSS) * SLOT_STRIDE + s];
#endrepeat
#repeat d VECTORS_PER_THREAD
        let column$d = min(x + $du * 8u, N - 1u);
        let q$d_0 = q_tile[s * STRIDE + column$d];
        let q$d_1 = q_tile[(s + 8u) * STRIDE + column$d];
        let q$d_2 = q_tile[(s + 16u) * STRIDE + column$d];
        let q$d_3 = q_tile[(s + 24u) * STRIDE + column$d];
#repeat r ROWS_PER_THREAD
        dk$r_$d = fma(vec4f(ds$r.x), q$d_0, dk$r_$d);
        dk$r_$d = fma(vec4f(ds$r.y), q$d_1, dk$r_$d);
        dk$r_$d = fma(vec4f(ds$r.z), q$d_2, dk$r_$d);
        dk$r_$d = fma(vec4f(ds$r.w), q$d_3, dk$r_$d);
#endrepeat
        let o$d_0 = do_tile[s * STRIDE + column$d];
        let o$d_1 = do_tile[(s + 8u) * STRIDE + column$d];
        let o$d_2 = do_tile[(s + 16u) * STRIDE + column$d];
        let o$d_3 = do_tile[(s + 24u) * STRIDE + column$d];
#repeat r ROWS_PER_THREAD
        dv$r_$d = fma(vec4f(p$r.x), o$d_0, dv$r_$d);
        dv$r_$d = fma(vec4f(p$r.y), o$d_1, dv$r_$d);
        dv$r_$d = fma(vec4f(p$r.z), o$d_2, dv$r_$d);
        dv$r_$d = fma(vec4f(p$r.w), o$d_3, dv$r_$d);
#endrepeat
#endrepeat
      }
#endrepeat
    }
  }
#repeat r ROWS_PER_THREAD
  {
    let j = j0 + y + $ru * ACROSS;
#repeat d VECTORS_PER_THREAD
    if (j < T && x + $du * 8u < N) {
      let i = ((group.z * T + j) * KEY_HEADS + key_head) * N + x + $du * 8u;
      dk[i] = dk$r_$d;
      dv[i] = dv$r_$d;
    }
#endrepeat
  }
#endrepeat
}
