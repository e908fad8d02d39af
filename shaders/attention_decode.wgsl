// o[b, h] = softmax over keys j <= positions[b] of slot b (within the window) of score(q . k_j), times v_j: one new token a slot.
// Buffers: 0 o [SLOTS, HEADS D], 1 q, 2 keys, 3 values [SLOTS, LENGTH, HEADS/GROUP D], 4 positions [SLOTS] u32.
// Threads: one workgroup a slot and head; 64 keys at a time are scored, then summed along D.
#include "lib/row.wgsl"
#include "lib/scores.wgsl"
@group(0) @binding(0) var<storage, read_write> o: array<f32>;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> keys: array<f32>;
@group(0) @binding(3) var<storage, read> values: array<f32>;
@group(0) @binding(4) var<storage, read> positions: array<u32>;

const CHUNK: u32 = 64u;
const PER_THREAD: u32 = (D + WORKGROUP - 1u) / WORKGROUP;
var<workgroup> scores: array<f32, CHUNK>;
var<workgroup> span: vec2u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let head = group.x;
  let slot = group.y;
  let query = (slot * HEADS + head) * D;
  let width = (HEADS / GROUP) * D;
  let cache = slot * LENGTH * width + (head / GROUP) * D;
  if (local == 0u) {
    let newest = min(positions[slot], LENGTH - 1u);
    span = vec2u(first_key(newest, 0u), newest + 1u);
  }
  let keys_seen = workgroupUniformLoad(&span);
  var sum: array<f32, PER_THREAD>;
  var largest = -3.0e38;
  var total = 0.0;
  for (var first = keys_seen.x; first < keys_seen.y; first += CHUNK) {
    let count = min(CHUNK, keys_seen.y - first);
    var chunk_largest = -3.0e38;
    for (var j = local; j < count; j += WORKGROUP) {
      var product = 0.0;
      for (var i = 0u; i < D; i++) {
        product += q[query + i] * keys[cache + (first + j) * width + i];
      }
      let score = attention_score(vec4f(product)).x;
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
    for (var n = 0u; n < PER_THREAD; n++) {
      let i = n * WORKGROUP + local;
      if (i < D) {
        var value = sum[n] * shrink;
        for (var j = 0u; j < count; j++) {
          value += scores[j] * values[cache + (first + j) * width + i];
        }
        sum[n] = value;
      }
    }
    largest = next;
    workgroupBarrier();
  }
  for (var n = 0u; n < PER_THREAD; n++) {
    let i = n * WORKGROUP + local;
    if (i < D) {
      o[query + i] = sum[n] / total;
    }
  }
}
