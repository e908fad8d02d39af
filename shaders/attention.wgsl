// o[t, h] = sum_j softmax_j(score(q[t, h] . k[j, h / GROUP])) v[j, h / GROUP] over j from the query's first key to t; lse[t, h] = log sum exp.
// One pass with a running maximum (FlashAttention, arXiv:2205.14135): no [T, T] array exists.
// Buffers: 0 o [T, HEADS D], 1 lse [T, HEADS], 2 q [T, HEADS D], 3 k, 4 v [T, HEADS/GROUP D], 5 document_start [T] u32.
// Threads: one invocation a query and head.
#include "lib/flat.wgsl"
#include "lib/scores.wgsl"
@group(0) @binding(0) var<storage, read_write> o: array<f32>;
@group(0) @binding(1) var<storage, read_write> lse: array<f32>;
@group(0) @binding(2) var<storage, read> q: array<f32>;
@group(0) @binding(3) var<storage, read> k: array<f32>;
@group(0) @binding(4) var<storage, read> v: array<f32>;
@group(0) @binding(5) var<storage, read> document_start: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = flat_index(group, groups, local, 64u);
  if (e >= T * HEADS) {
    return;
  }
  let head = e / T;
  let t = e % T;
  let row = (t * HEADS + head) * D;
  var query: array<f32, D>;
  var sum: array<f32, D>;
  for (var i = 0u; i < D; i++) {
    query[i] = q[row + i];
  }
  var largest = -3.0e38;
  var total = 0.0;
  for (var j = first_key(t, document_start[t]); j <= t; j++) {
    let key = (j * (HEADS / GROUP) + head / GROUP) * D;
    var product = 0.0;
    for (var i = 0u; i < D; i++) {
      product += query[i] * k[key + i];
    }
    let score = attention_score(product);
    if (score > largest) {
      let shrink = exp(largest - score);
      total *= shrink;
      for (var i = 0u; i < D; i++) {
        sum[i] *= shrink;
      }
      largest = score;
    }
    let p = exp(score - largest);
    total += p;
    for (var i = 0u; i < D; i++) {
      sum[i] += p * v[key + i];
    }
  }
  for (var i = 0u; i < D; i++) {
    o[row + i] = sum[i] / total;
  }
  lse[t * HEADS + head] = largest + log(total);
}
