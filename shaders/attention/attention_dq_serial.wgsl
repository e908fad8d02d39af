// The gradient of attention's queries:
//   dq[t, h] = sum_j ds_j k_j,  p_j = exp(score_j - lse),  ds_j = p_j (do . v_j - delta) dscore / dproduct
// over the keys j of attention_serial.wgsl. It is used where that kernel is.
// Buffers: dq, q, d_o [T, HEADS D]; k, v [T, HEADS / GROUP_SIZE D]; stats [T, HEADS, 2], (lse, delta) of
//   attention_delta.wgsl; document_start [T] u32.
// Constants: those of attention_serial.wgsl.
// Threads: one invocation a query and head, four keys at a time.
#include "lib/grid.wgsl"
#include "lib/attention/scores.wgsl"
#include "lib/attention/vector.wgsl"
#include "lib/attention/four_keys.wgsl"
@group(0) @binding(0) var<storage, read_write> dq: array<Vector>;
@group(0) @binding(1) var<storage, read> q: array<Vector>;
@group(0) @binding(2) var<storage, read> k: array<Vector>;
@group(0) @binding(3) var<storage, read> v: array<Vector>;
@group(0) @binding(4) var<storage, read> d_o: array<Vector>;
@group(0) @binding(5) var<storage, read> stats: array<f32>;
@group(0) @binding(6) var<storage, read> document_start: array<u32>;

const N: u32 = D / VECTOR_WIDTH;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let e = flat_index(group, groups, local, 64u);
  if (e >= T * HEADS) {
    return;
  }
  let head = e / T;
  let t = e % T;
  let row = (t * HEADS + head) * N;
  var query: array<Vector, N>;
  var slope: array<Vector, N>;
  var sum: array<Vector, N>;
  for (var i = 0u; i < N; i++) {
    query[i] = q[row + i];
    slope[i] = d_o[row + i];
  }
  let lse = stats[2u * (t * HEADS + head)];
  let delta = stats[2u * (t * HEADS + head) + 1u];
  for (var j = first_key(t, document_start[t]); j <= t; j += 4u) {
    let key = key_rows(j, t, head);
    var product = vec4f();
    var dp = vec4f();
    for (var i = 0u; i < N; i++) {
      let x = query[i];
      let y = slope[i];
      product += vec4f(
        dot(x, k[key.x + i]),
        dot(x, k[key.y + i]),
        dot(x, k[key.z + i]),
        dot(x, k[key.w + i]),
      );
      dp += vec4f(dot(y, v[key.x + i]), dot(y, v[key.y + i]), dot(y, v[key.z + i]), dot(y, v[key.w + i]));
    }
    let score = attention_score(product);
    let ds = select(vec4f(), exp(score - lse) * (dp - delta) * attention_slope(score), seen(j, t));
    for (var i = 0u; i < N; i++) {
      sum[i] += ds.x * k[key.x + i] + ds.y * k[key.y + i] + ds.z * k[key.z + i] + ds.w * k[key.w + i];
    }
  }
  for (var i = 0u; i < N; i++) {
    dq[row + i] = sum[i];
  }
}
