// dk[j] = sum ds q[t, h], dv[j] = sum p do[t, h] over the queries t that see key j and the GROUP heads that share it; p, ds as in attention_dq.wgsl.
// Buffers: 0 dk, 1 dv [T, HEADS/GROUP D], 2 q, 3 k, 4 v, 5 do, 6 stats [T, HEADS, 2], 7 document_end [T] u32.
// Threads: one invocation a key and key head, so that every sum has one owner and one order.
#include "lib/flat.wgsl"
#include "lib/scores.wgsl"
@group(0) @binding(0) var<storage, read_write> dk: array<f32>;
@group(0) @binding(1) var<storage, read_write> dv: array<f32>;
@group(0) @binding(2) var<storage, read> q: array<f32>;
@group(0) @binding(3) var<storage, read> k: array<f32>;
@group(0) @binding(4) var<storage, read> v: array<f32>;
@group(0) @binding(5) var<storage, read> d_o: array<f32>;
@group(0) @binding(6) var<storage, read> stats: array<f32>;
@group(0) @binding(7) var<storage, read> document_end: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = flat_index(group, groups, local, 64u);
  if (e >= T * (HEADS / GROUP)) {
    return;
  }
  let key_head = e / T;
  let j = e % T;
  let key = (j * (HEADS / GROUP) + key_head) * D;
  var keys: array<f32, D>;
  var values: array<f32, D>;
  var sum_k: array<f32, D>;
  var sum_v: array<f32, D>;
  for (var i = 0u; i < D; i++) {
    keys[i] = k[key + i];
    values[i] = v[key + i];
  }
  var end = document_end[j];
  if (WINDOW > 0u) {
    end = min(end, j + WINDOW);
  }
  for (var t = j; t < end; t++) {
    for (var h = key_head * GROUP; h < (key_head + 1u) * GROUP; h++) {
      let row = (t * HEADS + h) * D;
      var product = 0.0;
      var dp = 0.0;
      for (var i = 0u; i < D; i++) {
        product += q[row + i] * keys[i];
        dp += d_o[row + i] * values[i];
      }
      let score = attention_score(product);
      let p = exp(score - stats[2u * (t * HEADS + h)]);
      let ds = p * (dp - stats[2u * (t * HEADS + h) + 1u]) * attention_slope(score);
      for (var i = 0u; i < D; i++) {
        sum_k[i] += ds * q[row + i];
        sum_v[i] += p * d_o[row + i];
      }
    }
  }
  for (var i = 0u; i < D; i++) {
    dk[key + i] = sum_k[i];
    dv[key + i] = sum_v[i];
  }
}
