// As attention_dq.wgsl, with blocks of BLOCK queries and 32 keys in workgroup memory. D is a multiple of 4.
// Buffers: 0 dq, 1 q, 2 k, 3 v, 4 do, 5 stats [T, HEADS, 2] (lse, delta), 6 document_start, which never falls along T.
// Threads: one workgroup of 64 a block of queries (x, the last first) and a head (y).
#include "lib/scores.wgsl"
#include "lib/attention_tile.wgsl"
@group(0) @binding(0) var<storage, read_write> dq: array<vec4f>;
@group(0) @binding(1) var<storage, read> q: array<vec4f>;
@group(0) @binding(2) var<storage, read> k: array<vec4f>;
@group(0) @binding(3) var<storage, read> v: array<vec4f>;
@group(0) @binding(4) var<storage, read> d_o: array<vec4f>;
@group(0) @binding(5) var<storage, read> stats: array<vec2f>;
@group(0) @binding(6) var<storage, read> document_start: array<u32>;

var<workgroup> q_tile: array<vec4f, BLOCK * STRIDE>;
var<workgroup> do_tile: array<vec4f, BLOCK * STRIDE>;
var<workgroup> k_tile: array<vec4f, COLUMNS * STRIDE>;
var<workgroup> v_tile: array<vec4f, COLUMNS * STRIDE>;
var<workgroup> ds_tile: array<vec4f, BLOCK * SLOT_STRIDE>;
var<workgroup> row_first: array<u32, BLOCK>;
var<workgroup> row_stats: array<vec2f, BLOCK>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let head = group.y;
  let key_head = head / GROUP;
  let q0 = ((T - 1u) / BLOCK - group.x) * BLOCK;
  let x = local % 8u;
  let y = local / 8u;
  for (var e = local; e < BLOCK * N; e += 64u) {
    let i = (min(q0 + e / N, T - 1u) * HEADS + head) * N + e % N;
    q_tile[(e / N) * STRIDE + e % N] = q[i];
    do_tile[(e / N) * STRIDE + e % N] = d_o[i];
  }
  if (local < BLOCK) {
    let t = min(q0 + local, T - 1u);
    row_first[local] = first_key(t, document_start[t]);
    row_stats[local] = stats[t * HEADS + head];
  }
  var sum: array<vec4f, PER_ROW * PER_HEAD>;
  let last = min(q0 + BLOCK, T);
  for (var j0 = first_key(q0, document_start[q0]); j0 < last; j0 += COLUMNS) {
    workgroupBarrier();
    for (var e = local; e < COLUMNS * N; e += 64u) {
      let i = (min(j0 + e / N, T - 1u) * KEY_HEADS + key_head) * N + e % N;
      k_tile[(e / N) * STRIDE + e % N] = k[i];
      v_tile[(e / N) * STRIDE + e % N] = v[i];
    }
    workgroupBarrier();
    var product = array<vec4f, PER_ROW>();
    var dp = array<vec4f, PER_ROW>();
    for (var i = 0u; i < N; i++) {
      let k0 = k_tile[x * STRIDE + i];
      let k1 = k_tile[(x + 8u) * STRIDE + i];
      let k2 = k_tile[(x + 16u) * STRIDE + i];
      let k3 = k_tile[(x + 24u) * STRIDE + i];
      let v0 = v_tile[x * STRIDE + i];
      let v1 = v_tile[(x + 8u) * STRIDE + i];
      let v2 = v_tile[(x + 16u) * STRIDE + i];
      let v3 = v_tile[(x + 24u) * STRIDE + i];
      for (var r = 0u; r < PER_ROW; r++) {
        let row = q_tile[(y + r * 8u) * STRIDE + i];
        let slope = do_tile[(y + r * 8u) * STRIDE + i];
        product[r] += vec4f(dot(row, k0), dot(row, k1), dot(row, k2), dot(row, k3));
        dp[r] += vec4f(dot(slope, v0), dot(slope, v1), dot(slope, v2), dot(slope, v3));
      }
    }
    let j = vec4u(j0 + x) + vec4u(0u, 8u, 16u, 24u);
    for (var r = 0u; r < PER_ROW; r++) {
      let row = y + r * 8u;
      let seen = (j >= vec4u(row_first[row])) & (j <= vec4u(q0 + row));
      let score = attention_score(product[r]);
      let ds = exp(score - row_stats[row].x) * (dp[r] - row_stats[row].y) * attention_slope(score);
      ds_tile[row * SLOT_STRIDE + x] = select(vec4f(), ds, seen);
    }
    workgroupBarrier();
    for (var s = 0u; s < SLOTS; s++) {
      for (var d = 0u; d < PER_HEAD; d++) {
        let column = min(x + d * 8u, N - 1u);
        let k0 = k_tile[s * STRIDE + column];
        let k1 = k_tile[(s + 8u) * STRIDE + column];
        let k2 = k_tile[(s + 16u) * STRIDE + column];
        let k3 = k_tile[(s + 24u) * STRIDE + column];
        for (var r = 0u; r < PER_ROW; r++) {
          let ds = ds_tile[(y + r * 8u) * SLOT_STRIDE + s];
          sum[r * PER_HEAD + d] += ds.x * k0 + ds.y * k1 + ds.z * k2 + ds.w * k3;
        }
      }
    }
  }
  for (var r = 0u; r < PER_ROW; r++) {
    let t = q0 + y + r * 8u;
    for (var d = 0u; d < PER_HEAD; d++) {
      if (t < T && x + d * 8u < N) {
        dq[(t * HEADS + head) * N + x + d * 8u] = sum[r * PER_HEAD + d];
      }
    }
  }
}
