// As attention.wgsl, with blocks of BLOCK queries and 32 keys in workgroup memory (FlashAttention-2, arXiv:2307.08691). D is a multiple of 4.
// Buffers: 0 o [T, HEADS D], 1 lse [T, HEADS], 2 q [T, HEADS D], 3 k, 4 v [T, HEADS/GROUP D], 5 document_start [T] u32, which never falls along T.
// Threads: one workgroup of 64 a block of queries (x, the last first: it has the most keys) and a head (y).
#include "lib/scores.wgsl"
#include "lib/attention_tile.wgsl"
@group(0) @binding(0) var<storage, read_write> o: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> lse: array<f32>;
@group(0) @binding(2) var<storage, read> q: array<vec4f>;
@group(0) @binding(3) var<storage, read> k: array<vec4f>;
@group(0) @binding(4) var<storage, read> v: array<vec4f>;
@group(0) @binding(5) var<storage, read> document_start: array<u32>;

var<workgroup> q_tile: array<vec4f, BLOCK * STRIDE>;
var<workgroup> key_tile: array<vec4f, COLUMNS * STRIDE>;
var<workgroup> p_tile: array<vec4f, BLOCK * SLOT_STRIDE>;
var<workgroup> row_first: array<u32, BLOCK>;
var<workgroup> row_shrink: array<f32, BLOCK>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let head = group.y;
  let key_head = head / GROUP;
  let q0 = ((T - 1u) / BLOCK - group.x) * BLOCK;
  let x = local % 8u;
  let y = local / 8u;
  for (var e = local; e < BLOCK * N; e += 64u) {
    let t = min(q0 + e / N, T - 1u);
    q_tile[(e / N) * STRIDE + e % N] = q[(t * HEADS + head) * N + e % N];
  }
  if (local < BLOCK) {
    let t = min(q0 + local, T - 1u);
    row_first[local] = first_key(t, document_start[t]);
  }
  var sum: array<vec4f, PER_ROW * PER_HEAD>;
  var largest = -3.0e38;
  var total = 0.0;
  let last = min(q0 + BLOCK, T);
  for (var j0 = first_key(q0, document_start[q0]); j0 < last; j0 += COLUMNS) {
    workgroupBarrier();
    for (var e = local; e < COLUMNS * N; e += 64u) {
      key_tile[(e / N) * STRIDE + e % N] = k[(min(j0 + e / N, T - 1u) * KEY_HEADS + key_head) * N + e % N];
    }
    workgroupBarrier();
    var product = array<vec4f, PER_ROW>();
    for (var i = 0u; i < N; i++) {
      let k0 = key_tile[x * STRIDE + i];
      let k1 = key_tile[(x + 8u) * STRIDE + i];
      let k2 = key_tile[(x + 16u) * STRIDE + i];
      let k3 = key_tile[(x + 24u) * STRIDE + i];
      for (var r = 0u; r < PER_ROW; r++) {
        let row = q_tile[(y + r * 8u) * STRIDE + i];
        product[r] += vec4f(dot(row, k0), dot(row, k1), dot(row, k2), dot(row, k3));
      }
    }
    let j = vec4u(j0 + x) + vec4u(0u, 8u, 16u, 24u);
    for (var r = 0u; r < PER_ROW; r++) {
      let row = y + r * 8u;
      let seen = (j >= vec4u(row_first[row])) & (j <= vec4u(q0 + row));
      p_tile[row * SLOT_STRIDE + x] = select(vec4f(-3.0e38), attention_score(product[r]), seen);
    }
    workgroupBarrier();
    for (var e = local; e < COLUMNS * N; e += 64u) {
      key_tile[(e / N) * STRIDE + e % N] = v[(min(j0 + e / N, T - 1u) * KEY_HEADS + key_head) * N + e % N];
    }
    if (local < BLOCK) {
      var most = vec4f(largest);
      for (var s = 0u; s < SLOTS; s++) {
        most = max(most, p_tile[local * SLOT_STRIDE + s]);
      }
      let next = max(max(most.x, most.y), max(most.z, most.w));
      var mass = vec4f();
      for (var s = 0u; s < SLOTS; s++) {
        let score = p_tile[local * SLOT_STRIDE + s];
        let p = select(vec4f(), exp(score - next), score > vec4f(-1.0e38));
        p_tile[local * SLOT_STRIDE + s] = p;
        mass += p;
      }
      let shrink = exp(largest - next);
      row_shrink[local] = shrink;
      total = total * shrink + mass.x + mass.y + mass.z + mass.w;
      largest = next;
    }
    workgroupBarrier();
    for (var r = 0u; r < PER_ROW; r++) {
      let shrink = row_shrink[y + r * 8u];
      for (var d = 0u; d < PER_HEAD; d++) {
        sum[r * PER_HEAD + d] *= shrink;
      }
    }
    for (var s = 0u; s < SLOTS; s++) {
      for (var d = 0u; d < PER_HEAD; d++) {
        let column = min(x + d * 8u, N - 1u);
        let v0 = key_tile[s * STRIDE + column];
        let v1 = key_tile[(s + 8u) * STRIDE + column];
        let v2 = key_tile[(s + 16u) * STRIDE + column];
        let v3 = key_tile[(s + 24u) * STRIDE + column];
        for (var r = 0u; r < PER_ROW; r++) {
          let p = p_tile[(y + r * 8u) * SLOT_STRIDE + s];
          sum[r * PER_HEAD + d] += p.x * v0 + p.y * v1 + p.z * v2 + p.w * v3;
        }
      }
    }
  }
  workgroupBarrier();
  if (local < BLOCK) {
    row_shrink[local] = 1.0 / total;
    if (q0 + local < T) {
      lse[(q0 + local) * HEADS + head] = largest + log(total);
    }
  }
  workgroupBarrier();
  for (var r = 0u; r < PER_ROW; r++) {
    let row = y + r * 8u;
    for (var d = 0u; d < PER_HEAD; d++) {
      if (q0 + row < T && x + d * 8u < N) {
        o[((q0 + row) * HEADS + head) * N + x + d * 8u] = sum[r * PER_HEAD + d] * row_shrink[row];
      }
    }
  }
}
