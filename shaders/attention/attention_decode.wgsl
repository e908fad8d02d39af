// Attention of one new token a slot over the KV cache:
//   o[b, h] = sum_j softmax_j(score(q[b, h] . keys[b, j])) values[b, j]
// over the keys j <= positions[b] of slot b, within the window.
// Buffers: o, q [SLOTS, HEADS D]; keys, values [SLOTS, LENGTH, HEADS / GROUP_SIZE D]; positions [SLOTS] u32.
// Constants: LENGTH and those of attention_serial.wgsl but T; WORKGROUP; UNROLLED, the vectors of a key, and
//   VALUES, the values, that an invocation reads at once.
// Threads: one workgroup of WORKGROUP invocations a slot and head, at least as many as a head has vectors
//   (N). A chunk of keys at a time: an invocation scores a key, UNROLLED vectors of it at once. Then N
//   invocations share a value, a vector each, and PARTS such groups take every PARTS-th value, VALUES at
//   once. The parts are added up in order.
#include "lib/row.wgsl"
#include "lib/attention/scores.wgsl"
#include "lib/attention/vector.wgsl"
@group(0) @binding(0) var<storage, read_write> o: array<Vector>;
@group(0) @binding(1) var<storage, read> q: array<Vector>;
@group(0) @binding(2) var<storage, read> keys: array<Vector>;
@group(0) @binding(3) var<storage, read> values: array<Vector>;
@group(0) @binding(4) var<storage, read> positions: array<u32>;

const N: u32 = D / VECTOR_WIDTH;
const CHUNK: u32 = 4u * WORKGROUP;
const PARTS: u32 = WORKGROUP / N;
var<workgroup> query: array<Vector, N>;
var<workgroup> scores: array<f32, CHUNK>;
var<workgroup> parts: array<Vector, PARTS * N>;
var<workgroup> span: vec2u;

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
  if (local < N) {
    query[local] = q[row + local];
  }
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
      for (var i = 0u; i < N; i += UNROLLED) {
#repeat u UNROLLED
        let key$u = keys[base + j * stride + i + $uu];
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
    if (part < PARTS) {
      sum *= shrink;
      var j = part;
      for (; j + (VALUES - 1u) * PARTS < count; j += VALUES * PARTS) {
#repeat v VALUES
        let value$v = values[base + (j + $vu * PARTS) * stride + lane];
#endrepeat
#repeat v VALUES
        sum = fma(Vector(scores[j + $vu * PARTS]), value$v, sum);
#endrepeat
      }
      for (; j < count; j += PARTS) {
        sum = fma(Vector(scores[j]), values[base + j * stride + lane], sum);
      }
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
    o[row + local] = all / total;
  }
}
