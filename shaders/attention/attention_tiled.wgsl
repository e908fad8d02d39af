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
// Of each row, what its eight invocations have each of their own keys: the largest score, at last the mass.
var<workgroup> row_parts: array<f32, BLOCK * 8u>;

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
  var largest$r = -3.0e38;
  var total$r = 0.0;
#repeat d VECTORS_PER_THREAD
  var sum$r_$d = vec4f();
#endrepeat
#endrepeat
  let last = min(q0 + BLOCK, T);
  let begin = first_key(q0, document_start[q0]);
#if PREFETCHES
#repeat e LOADS
  var key$e = k[row_vector(local + $eu * THREADS, begin, KEY_HEADS, key_head)];
#endrepeat
#endif
  for (var j0 = begin; j0 < last; j0 += COLUMNS) {
#if PREFETCHES
#else
#repeat e LOADS
    let key$e = k[row_vector(local + $eu * THREADS, j0, KEY_HEADS, key_head)];
#endrepeat
#endif
    workgroupBarrier();
#repeat e LOADS
    if (LOADS * THREADS == COLUMNS * N || local + $eu * THREADS < COLUMNS * N) {
      key_tile[tile_slot(local + $eu * THREADS)] = key$e;
    }
#endrepeat
    workgroupBarrier();
#repeat e LOADS
    let value$e = v[row_vector(local + $eu * THREADS, j0, KEY_HEADS, key_head)];
#endrepeat
#repeat r ROWS_PER_THREAD
    var product$r = vec4f();
#endrepeat
#repeat i HEAD_VECTORS
    {
      let i = $iu;
#include "lib/attention/tile_scores.wgsl"
    }
#endrepeat
    let j = vec4u(j0 + x) + vec4u(0u, 8u, 16u, 24u);
#repeat r ROWS_PER_THREAD
    let row$r = y + $ru * ACROSS;
    let seen$r = (j >= vec4u(row_first[row$r])) & (j <= vec4u(q0 + row$r));
    let score$r = select(vec4f(-3.0e38), attention_score(product$r), seen$r);
    row_parts[row$r * 8u + x] = max(max(score$r.x, score$r.y), max(score$r.z, score$r.w));
#endrepeat
    workgroupBarrier();
#repeat e LOADS
    if (LOADS * THREADS == COLUMNS * N || local + $eu * THREADS < COLUMNS * N) {
      key_tile[tile_slot(local + $eu * THREADS)] = value$e;
    }
#endrepeat
#repeat r ROWS_PER_THREAD
    {
      var next = largest$r;
#repeat c 8
      next = max(next, row_parts[row$r * 8u + $cu]);
#endrepeat
      let shrink = exp(largest$r - next);
      let p = select(vec4f(), exp(score$r - next), seen$r);
      factor_tile[row$r * SLOT_STRIDE + x] = p;
      total$r = total$r * shrink + (p.x + p.y + p.z + p.w);
      largest$r = next;
#repeat d VECTORS_PER_THREAD
      sum$r_$d *= shrink;
#endrepeat
    }
#endrepeat
    workgroupBarrier();
#if PREFETCHES
#repeat e LOADS
    key$e = k[row_vector(local + $eu * THREADS, j0 + COLUMNS, KEY_HEADS, key_head)];
#endrepeat
#endif
#include "lib/attention/tile_sums.wgsl"
  }
  workgroupBarrier();
#repeat r ROWS_PER_THREAD
  row_parts[(y + $ru * ACROSS) * 8u + x] = total$r;
#endrepeat
  workgroupBarrier();
#repeat r ROWS_PER_THREAD
  {
    let row = y + $ru * ACROSS;
    var total = 0.0;
#repeat c 8
    total += row_parts[row * 8u + $cu];
#endrepeat
    if (q0 + row < T) {
      if (x == 0u) {
        lse[(q0 + row) * HEADS + head] = largest$r + log(total);
      }
#repeat d VECTORS_PER_THREAD
      if (x + $du * 8u < N) {
        o[((q0 + row) * HEADS + head) * N + x + $du * 8u] = sum$r_$d / total;
      }
#endrepeat
    }
  }
#endrepeat
}
