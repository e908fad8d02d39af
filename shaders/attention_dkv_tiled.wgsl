// As attention_dkv.wgsl, with blocks of BLOCK keys and 32 queries in workgroup memory. D is a multiple of 4. Slice z of SPLIT takes
// GROUP / SPLIT of the heads that share a key head and writes sums of its own, [SPLIT, T, HEADS/GROUP D]; matmul_reduce.wgsl adds them up.
// Buffers: 0 dk, 1 dv, 2 q, 3 k, 4 v, 5 do, 6 stats [T, HEADS, 2], 7 document_end [T] u32, which never falls along T.
// Threads: one workgroup of 64 a block of keys (x), a key head (y) and a slice (z).
#include "lib/scores.wgsl"
#include "lib/attention_tile.wgsl"
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

// Queries from the key itself to here see it.
fn end_of(j: u32) -> u32 {
  if (WINDOW > 0u) {
    return min(document_end[j], j + WINDOW);
  }
  return document_end[j];
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let key_head = group.y;
  let j0 = group.x * BLOCK;
  let x = local % 8u;
  let y = local / 8u;
  for (var e = local; e < BLOCK * N; e += 64u) {
    let i = (min(j0 + e / N, T - 1u) * KEY_HEADS + key_head) * N + e % N;
    k_tile[(e / N) * STRIDE + e % N] = k[i];
    v_tile[(e / N) * STRIDE + e % N] = v[i];
  }
  if (local < BLOCK) {
    row_end[local] = end_of(min(j0 + local, T - 1u));
  }
  var sum_k: array<vec4f, PER_ROW * PER_HEAD>;
  var sum_v: array<vec4f, PER_ROW * PER_HEAD>;
  let end = end_of(min(j0 + BLOCK, T) - 1u);
  let first_head = key_head * GROUP + group.z * (GROUP / SPLIT);
  for (var head = first_head; head < first_head + GROUP / SPLIT; head++) {
    for (var t0 = j0; t0 < end; t0 += COLUMNS) {
      workgroupBarrier();
      for (var e = local; e < COLUMNS * N; e += 64u) {
        let i = (min(t0 + e / N, T - 1u) * HEADS + head) * N + e % N;
        q_tile[(e / N) * STRIDE + e % N] = q[i];
        do_tile[(e / N) * STRIDE + e % N] = d_o[i];
      }
      if (local < COLUMNS) {
        column_stats[local] = stats[min(t0 + local, T - 1u) * HEADS + head];
      }
      workgroupBarrier();
      var product = array<vec4f, PER_ROW>();
      var dp = array<vec4f, PER_ROW>();
      for (var i = 0u; i < N; i++) {
        let q0 = q_tile[x * STRIDE + i];
        let q1 = q_tile[(x + 8u) * STRIDE + i];
        let q2 = q_tile[(x + 16u) * STRIDE + i];
        let q3 = q_tile[(x + 24u) * STRIDE + i];
        let o0 = do_tile[x * STRIDE + i];
        let o1 = do_tile[(x + 8u) * STRIDE + i];
        let o2 = do_tile[(x + 16u) * STRIDE + i];
        let o3 = do_tile[(x + 24u) * STRIDE + i];
        for (var r = 0u; r < PER_ROW; r++) {
          let key = k_tile[(y + r * 8u) * STRIDE + i];
          let value = v_tile[(y + r * 8u) * STRIDE + i];
          product[r] += vec4f(dot(key, q0), dot(key, q1), dot(key, q2), dot(key, q3));
          dp[r] += vec4f(dot(value, o0), dot(value, o1), dot(value, o2), dot(value, o3));
        }
      }
      let t = vec4u(t0 + x) + vec4u(0u, 8u, 16u, 24u);
      let lse = vec4f(column_stats[x].x, column_stats[x + 8u].x, column_stats[x + 16u].x, column_stats[x + 24u].x);
      let delta = vec4f(column_stats[x].y, column_stats[x + 8u].y, column_stats[x + 16u].y, column_stats[x + 24u].y);
      for (var r = 0u; r < PER_ROW; r++) {
        let row = y + r * 8u;
        let sees = (t >= vec4u(j0 + row)) & (t < vec4u(row_end[row]));
        let score = attention_score(product[r]);
        let p = select(vec4f(), exp(score - lse), sees);
        p_tile[row * SLOT_STRIDE + x] = p;
        ds_tile[row * SLOT_STRIDE + x] = select(vec4f(), p * (dp[r] - delta) * attention_slope(score), sees);
      }
      workgroupBarrier();
      for (var s = 0u; s < SLOTS; s++) {
        for (var d = 0u; d < PER_HEAD; d++) {
          let column = min(x + d * 8u, N - 1u);
          let q0 = q_tile[s * STRIDE + column];
          let q1 = q_tile[(s + 8u) * STRIDE + column];
          let q2 = q_tile[(s + 16u) * STRIDE + column];
          let q3 = q_tile[(s + 24u) * STRIDE + column];
          let o0 = do_tile[s * STRIDE + column];
          let o1 = do_tile[(s + 8u) * STRIDE + column];
          let o2 = do_tile[(s + 16u) * STRIDE + column];
          let o3 = do_tile[(s + 24u) * STRIDE + column];
          for (var r = 0u; r < PER_ROW; r++) {
            let ds = ds_tile[(y + r * 8u) * SLOT_STRIDE + s];
            let p = p_tile[(y + r * 8u) * SLOT_STRIDE + s];
            sum_k[r * PER_HEAD + d] += ds.x * q0 + ds.y * q1 + ds.z * q2 + ds.w * q3;
            sum_v[r * PER_HEAD + d] += p.x * o0 + p.y * o1 + p.z * o2 + p.w * o3;
          }
        }
      }
    }
  }
  for (var r = 0u; r < PER_ROW; r++) {
    let j = j0 + y + r * 8u;
    for (var d = 0u; d < PER_HEAD; d++) {
      if (j < T && x + d * 8u < N) {
        let i = ((group.z * T + j) * KEY_HEADS + key_head) * N + x + d * 8u;
        dk[i] = sum_k[r * PER_HEAD + d];
        dv[i] = sum_v[r * PER_HEAD + d];
      }
    }
  }
}
