// attention_serial.wgsl in tiles: blocks of BLOCK queries by 32 keys in workgroup memory (FlashAttention-2,
// arXiv:2307.08691). D is a multiple of 4.
// Buffers: o, q [T, HEADS D]; lse [T, HEADS]; k, v [T, HEADS / GROUP_SIZE D]; document_start [T] u32, which
//   never falls along T.
// Constants: those of attention_serial.wgsl but VECTOR_WIDTH, and those of lib/attention/tile.wgsl.
// Threads: one workgroup of THREADS a block of queries (x, the last first, since it has the most keys) and a
//   head (y).
#include "lib/attention/scores.wgsl"
#include "lib/attention/tile.wgsl"
@group(0) @binding(0) var<storage, read_write> o: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> lse: array<f32>;
@group(0) @binding(2) var<storage, read> q: array<vec4f>;
@group(0) @binding(3) var<storage, read> k: array<vec4f>;
@group(0) @binding(4) var<storage, read> v: array<vec4f>;
@group(0) @binding(5) var<storage, read> document_start: array<u32>;

var<workgroup> q_tile: array<vec4f, BLOCK * STRIDE>;
var<workgroup> key_tile: array<vec4f, COLUMNS * STRIDE>;
var<workgroup> factor_tile: array<vec4f, BLOCK * SLOT_STRIDE>;
var<workgroup> row_first: array<u32, BLOCK>;
var<workgroup> row_shrink: array<f32, BLOCK>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let head = group.y;
  let key_head = head / GROUP_SIZE;
  let q0 = ((T - 1u) / BLOCK - group.x) * BLOCK;
  let x = local % 8u;
  let y = local / 8u;
  for (var e = local; e < BLOCK * N; e += THREADS) {
    q_tile[tile_slot(e)] = q[row_vector(e, q0, HEADS, head)];
  }
  if (local < BLOCK) {
    let t = min(q0 + local, T - 1u);
    row_first[local] = first_key(t, document_start[t]);
  }
#repeat r ROWS_PER_THREAD
#repeat d VECTORS_PER_THREAD
  var sum$r_$d = vec4f();
#endrepeat
#endrepeat
  var largest = -3.0e38;
  var total = 0.0;
  let last = min(q0 + BLOCK, T);
  for (var j0 = first_key(q0, document_start[q0]); j0 < last; j0 += COLUMNS) {
#repeat e LOADS
    let key$e = k[row_vector(local + $eu * THREADS, j0, KEY_HEADS, key_head)];
#endrepeat
    workgroupBarrier();
#repeat e LOADS
    if (LOADS * THREADS == COLUMNS * N || local + $eu * THREADS < COLUMNS * N) {
      key_tile[tile_slot(local + $eu * THREADS)] = key$e;
    }
#endrepeat
    workgroupBarrier();
#repeat r ROWS_PER_THREAD
    var product$r = vec4f();
#endrepeat
    for (var i = 0u; i < N; i++) {
#include "lib/attention/tile_scores.wgsl"
    }
    let j = vec4u(j0 + x) + vec4u(0u, 8u, 16u, 24u);
#repeat r ROWS_PER_THREAD
    {
      let row = y + $ru * ACROSS;
      let seen = (j >= vec4u(row_first[row])) & (j <= vec4u(q0 + row));
      factor_tile[row * SLOT_STRIDE + x] = select(vec4f(-3.0e38), attention_score(product$r), seen);
    }
#endrepeat
    workgroupBarrier();
#repeat e LOADS
    let value$e = v[row_vector(local + $eu * THREADS, j0, KEY_HEADS, key_head)];
#endrepeat
#repeat e LOADS
    if (LOADS * THREADS == COLUMNS * N || local + $eu * THREADS < COLUMNS * N) {
      key_tile[tile_slot(local + $eu * THREADS)] = value$e;
    }
#endrepeat
    if (local < BLOCK) {
      var most = vec4f(largest);
      for (var s = 0u; s < SLOTS; s++) {
        most = max(most, factor_tile[local * SLOT_STRIDE + s]);
      }
      let next = max(max(most.x, most.y), max(most.z, most.w));
      var mass = vec4f();
      for (var s = 0u; s < SLOTS; s++) {
        let score = factor_tile[local * SLOT_STRIDE + s];
        let p = select(vec4f(), exp(score - next), score > vec4f(-1.0e38));
        factor_tile[local * SLOT_STRIDE + s] = p;
        mass += p;
      }
      let shrink = exp(largest - next);
      row_shrink[local] = shrink;
      total = total * shrink + mass.x + mass.y + mass.z + mass.w;
      largest = next;
    }
    workgroupBarrier();
#repeat r ROWS_PER_THREAD
    let shrink$r = row_shrink[y + $ru * ACROSS];
#repeat d VECTORS_PER_THREAD
    sum$r_$d *= shrink$r;
#endrepeat
#endrepeat
#include "lib/attention/tile_sums.wgsl"
  }
  workgroupBarrier();
  if (local < BLOCK) {
    row_shrink[local] = 1.0 / total;
    if (q0 + local < T) {
      lse[(q0 + local) * HEADS + head] = largest + log(total);
    }
  }
  workgroupBarrier();
#repeat r ROWS_PER_THREAD
  {
    let row = y + $ru * ACROSS;
#repeat d VECTORS_PER_THREAD
    if (q0 + row < T && x + $du * 8u < N) {
      o[((q0 + row) * HEADS + head) * N + x + $du * 8u] = sum$r_$d * row_shrink[row];
    }
#endrepeat
  }
#endrepeat
}
