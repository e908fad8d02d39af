// dq[t, h] = sum_j ds_j k_j with p_j = exp(score_j - lse), ds_j = p_j (do . v_j - delta) dscore/dproduct, j as in attention.wgsl.
// Buffers: 0 dq, 1 q, 2 k, 3 v, 4 do, 5 stats [T, HEADS, 2] (lse, delta), 6 document_start. Threads: one invocation a query and head.
#include "lib/flat.wgsl"
#include "lib/scores.wgsl"
@group(0) @binding(0) var<storage, read_write> dq: array<f32>;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> d_o: array<f32>;
@group(0) @binding(5) var<storage, read> stats: array<f32>;
@group(0) @binding(6) var<storage, read> document_start: array<u32>;

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
  var slope: array<f32, D>;
  var sum: array<f32, D>;
  for (var i = 0u; i < D; i++) {
    query[i] = q[row + i];
    slope[i] = d_o[row + i];
  }
  let lse = stats[2u * (t * HEADS + head)];
  let delta = stats[2u * (t * HEADS + head) + 1u];
  for (var j = first_key(t, document_start[t]); j <= t; j++) {
    let key = (j * (HEADS / GROUP) + head / GROUP) * D;
    var product = 0.0;
    var dp = 0.0;
    for (var i = 0u; i < D; i++) {
      product += query[i] * k[key + i];
      dp += slope[i] * v[key + i];
    }
    let score = attention_score(product);
    let ds = exp(score - lse) * (dp - delta) * attention_slope(score);
    for (var i = 0u; i < D; i++) {
      sum[i] += ds * k[key + i];
    }
  }
  for (var i = 0u; i < D; i++) {
    dq[row + i] = sum[i];
  }
}
