// Attention of one new token a slot over the KV cache:
//   o[b, h] = sum_j softmax_j(score(q[b, h] . keys[b, j])) values[b, j]
// over the keys j <= positions[b] of slot b, within the window.
// Where ROTATES it also is rope.wgsl with WRITES_CACHE: q and the new token's keys k_new come without their
// rotation, and the rotated key and v_new go to row [slots[b], positions[b]] of the cache, or nowhere where
// slots[b] is SLOTS or more. Each workgroup rotates its own query and key, so that none waits for the cache.
// Where NEXT_RANK, the adapter that reads o next takes partial sums from it: each head's part of o times the
// rows of next_a, [HEADS, SLOTS, NEXT_RANK] behind the rows of o.
// Buffers: o, q [SLOTS, HEADS D]; keys, values [SLOTS, LENGTH, HEADS / GROUP_SIZE D]; positions [SLOTS] u32;
//   where ROTATES, k_new and v_new [SLOTS, HEADS / GROUP_SIZE D], slots [SLOTS] u32, angles [P, 2, ROTATED /
//   2], the cosines of a row, then its sines; where NEXT_RANK, next_a [NEXT_RANK, HEADS D].
// Constants: LENGTH and those of attention_serial.wgsl but T; WORKGROUP; UNROLLED, the vectors of a key, and
//   VALUES, the values, that an invocation reads at once; ROTATES, and SLOTS, P, ROTATED, INTERLEAVED of
//   rope.wgsl; NEXT_RANK, at most CHUNK / N, and TERM_ROUNDS, its terms an invocation.
// Threads: one workgroup of WORKGROUP invocations a slot and head, at least as many as a head has vectors
//   (N). A chunk of keys at a time: an invocation scores a key, UNROLLED vectors of it at once. Then N
//   invocations share a value, a vector each, and PARTS such groups take every PARTS-th value, VALUES at
//   once. The parts are added up in order.
#include "lib/row.wgsl"
#include "lib/attention/scores.wgsl"
#include "lib/attention/vector.wgsl"
#if NEXT_RANK
@group(0) @binding(0) var<storage, read_write> o: array<f32>;
@group(0) @binding(9) var<storage, read> next_a: array<Vector>;
#else
@group(0) @binding(0) var<storage, read_write> o: array<Vector>;
#endif
@group(0) @binding(4) var<storage, read> positions: array<u32>;
#if ROTATES
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read_write> keys: array<Vector>;
@group(0) @binding(3) var<storage, read_write> values: array<Vector>;
@group(0) @binding(5) var<storage, read> k_new: array<f32>;
@group(0) @binding(6) var<storage, read> v_new: array<Vector>;
@group(0) @binding(7) var<storage, read> slots: array<u32>;
@group(0) @binding(8) var<storage, read> angles: array<f32>;
#else
@group(0) @binding(1) var<storage, read> q: array<Vector>;
@group(0) @binding(2) var<storage, read> keys: array<Vector>;
@group(0) @binding(3) var<storage, read> values: array<Vector>;
#endif

const N: u32 = D / VECTOR_WIDTH;
const CHUNK: u32 = 4u * WORKGROUP;
const PARTS: u32 = WORKGROUP / N;
var<workgroup> query: array<Vector, N>;
var<workgroup> scores: array<f32, CHUNK>;
var<workgroup> parts: array<Vector, PARTS * N>;
var<workgroup> span: vec2u;
#if ROTATES
var<workgroup> own_key: array<Vector, N>;
var<workgroup> own_value: array<Vector, N>;

// The element of a head that element i is rotated with, and its part of the sum.
fn partner(i: u32) -> u32 {
  if (INTERLEAVED) {
    return i ^ 1u;
  }
  return select(i - ROTATED / 2u, i + ROTATED / 2u, i < ROTATED / 2u);
}

fn rotated_by(i: u32, own: f32, other: f32, row: u32) -> f32 {
  let is_first = select(i < ROTATED / 2u, i % 2u == 0u, INTERLEAVED);
  let pair = select(i % (ROTATED / 2u), i / 2u, INTERLEAVED);
  let entry = min(row, P - 1u) * ROTATED + pair;
  return own * angles[entry] + select(other, -other, is_first) * angles[entry + ROTATED / 2u];
}

fn rotated_query(start: u32, i: u32, row: u32) -> f32 {
  if (i >= ROTATED) {
    return q[start + i];
  }
  return rotated_by(i, q[start + i], q[start + partner(i)], row);
}

fn rotated_key(start: u32, i: u32, row: u32) -> f32 {
  if (i >= ROTATED) {
    return k_new[start + i];
  }
  return rotated_by(i, k_new[start + i], k_new[start + partner(i)], row);
}
#endif

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = (group.y * HEADS + group.x) * N;
  let stride = (HEADS / GROUP_SIZE) * N;
  let cache = group.y * LENGTH * stride + (group.x / GROUP_SIZE) * N;
  let part = local / N;
  let lane = local % N;
  if (local == 0u) {
    let newest = min(positions[group.y], LENGTH - 1u);
    span = vec2u(first_key(newest, 0u), newest + 1u);
  }
#if ROTATES
  let position = positions[group.y];
  if (local < N) {
    let of_key = (group.y * (HEADS / GROUP_SIZE) + group.x / GROUP_SIZE) * N;
    var query_part = Vector();
    var key_part = Vector();
#repeat c VECTOR_WIDTH
    query_part[$cu] = rotated_query(row * VECTOR_WIDTH, local * VECTOR_WIDTH + $cu, position);
    key_part[$cu] = rotated_key(of_key * VECTOR_WIDTH, local * VECTOR_WIDTH + $cu, position);
#endrepeat
    let value_part = v_new[of_key + local];
    query[local] = query_part;
    own_key[local] = key_part;
    own_value[local] = value_part;
    let slot = slots[group.y];
    if (group.x % GROUP_SIZE == 0u && slot < SLOTS && position < LENGTH) {
      let to = (slot * LENGTH + position) * stride + (group.x / GROUP_SIZE) * N + local;
      keys[to] = key_part;
      values[to] = value_part;
    }
  }
#else
  if (local < N) {
    query[local] = q[row + local];
  }
#endif
#if NEXT_RANK
#repeat e TERM_ROUNDS
  // Read ahead, since only the last step needs it.
  let term$e = min(local + $eu * WORKGROUP, NEXT_RANK * N - 1u);
  let next$e = next_a[(term$e / N * HEADS + group.x) * N + term$e % N];
#endrepeat
#endif
  let keys_seen = workgroupUniformLoad(&span);
  var sum = Vector();
  var largest = -3.0e38;
  var total = 0.0;
  for (var first = keys_seen.x; first < keys_seen.y; first += CHUNK) {
    let count = min(CHUNK, keys_seen.y - first);
    let base = cache + first * stride;
    var chunk_largest = -3.0e38;
    for (var j = local; j < count; j += WORKGROUP) {
      var product = Vector();
#if ROTATES
      let is_own = first + j + 1u == keys_seen.y;
#endif
      for (var i = 0u; i < N; i += UNROLLED) {
#repeat u UNROLLED
#if ROTATES
        var key$u: Vector;
        if (is_own) {
          key$u = own_key[i + $uu];
        } else {
          key$u = keys[base + j * stride + i + $uu];
        }
#else
        let key$u = keys[base + j * stride + i + $uu];
#endif
#endrepeat
#repeat u UNROLLED
        product = fma(query[i + $uu], key$u, product);
#endrepeat
      }
      let score = attention_score(vec4f(dot(product, Vector(1.0)))).x;
      scores[j] = score;
      chunk_largest = max(chunk_largest, score);
    }
    let next = max(largest, row_max(chunk_largest, local));
    let shrink = exp(largest - next);
    var chunk_total = 0.0;
    for (var j = local; j < count; j += WORKGROUP) {
      scores[j] = exp(scores[j] - next);
      chunk_total += scores[j];
    }
    total = total * shrink + row_sum(chunk_total, local);
    largest = next;
#if ROTATES
    // The new token's own value is not read from the cache, to which another workgroup may be writing it.
    let stored = select(count, count - 1u, first + count == keys_seen.y);
#else
    let stored = count;
#endif
    if (part < PARTS) {
      sum *= shrink;
      var j = part;
      for (; j + (VALUES - 1u) * PARTS < stored; j += VALUES * PARTS) {
#repeat v VALUES
        let value$v = values[base + (j + $vu * PARTS) * stride + lane];
#endrepeat
#repeat v VALUES
        sum = fma(Vector(scores[j + $vu * PARTS]), value$v, sum);
#endrepeat
      }
      for (; j < stored; j += PARTS) {
        sum = fma(Vector(scores[j]), values[base + j * stride + lane], sum);
      }
#if ROTATES
      if (stored < count && part == stored % PARTS) {
        sum = fma(Vector(scores[stored]), own_value[lane], sum);
      }
#endif
    }
    workgroupBarrier();
  }
  if (part < PARTS) {
    parts[local] = sum;
  }
  workgroupBarrier();
  if (local < N) {
    var all = Vector();
    for (var p = 0u; p < PARTS; p++) {
      all += parts[p * N + local];
    }
#if NEXT_RANK
    let result = all / total;
    parts[local] = result;
#repeat c VECTOR_WIDTH
    o[(row + local) * VECTOR_WIDTH + $cu] = result[$cu];
#endrepeat
#else
    o[row + local] = all / total;
#endif
  }
#if NEXT_RANK
  workgroupBarrier();
#repeat e TERM_ROUNDS
  if (local + $eu * WORKGROUP < NEXT_RANK * N) {
    scores[term$e] = dot(next$e, parts[term$e % N]);
  }
#endrepeat
  workgroupBarrier();
  for (var r = local; r < NEXT_RANK; r += WORKGROUP) {
    var part = 0.0;
    for (var i = 0u; i < N; i++) {
      part += scores[r * N + i];
    }
    o[SLOTS * HEADS * D + (group.x * SLOTS + group.y) * NEXT_RANK + r] = part;
  }
#endif
}
