// The gradients of attention's keys and values:
//   dk[j] = sum ds q[t, h],  dv[j] = sum p do[t, h]
// over the queries t that see key j and the GROUP_SIZE heads that share it; p and ds are those of
// attention_dq_serial.wgsl.
// Buffers: dk, dv, k, v [T, HEADS / GROUP_SIZE D]; q, d_o [T, HEADS D]; stats [T, HEADS, 2]; document_end [T]
//   u32.
// Constants: those of attention_serial.wgsl.
// Threads: one invocation a key and key head, four queries at a time, so that every sum has one owner and one
//   order.
#include "lib/grid.wgsl"
#include "lib/attention/scores.wgsl"
#include "lib/attention/vector.wgsl"
@group(0) @binding(0) var<storage, read_write> dk: array<Vector>;
@group(0) @binding(1) var<storage, read_write> dv: array<Vector>;
@group(0) @binding(2) var<storage, read> q: array<Vector>;
@group(0) @binding(3) var<storage, read> k: array<Vector>;
@group(0) @binding(4) var<storage, read> v: array<Vector>;
@group(0) @binding(5) var<storage, read> d_o: array<Vector>;
@group(0) @binding(6) var<storage, read> stats: array<vec2f>;
@group(0) @binding(7) var<storage, read> document_end: array<u32>;

const N: u32 = D / VECTOR_WIDTH;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let e = flat_index(group, groups, local, 64u);
  if (e >= T * (HEADS / GROUP_SIZE)) {
    return;
  }
  let key_head = e / T;
  let j = e % T;
  let key = (j * (HEADS / GROUP_SIZE) + key_head) * N;
  var keys: array<Vector, N>;
  var values: array<Vector, N>;
  var sum_k: array<Vector, N>;
  var sum_v: array<Vector, N>;
  for (var i = 0u; i < N; i++) {
    keys[i] = k[key + i];
    values[i] = v[key + i];
  }
  var end = document_end[j];
  if (WINDOW > 0u) {
    end = min(end, j + WINDOW);
  }
  for (var t = j; t < end; t += 4u) {
    let is_query = vec4u(t, t + 1u, t + 2u, t + 3u) < vec4u(end);
    let query = min(vec4u(t, t + 1u, t + 2u, t + 3u), vec4u(end - 1u));
    for (var h = key_head * GROUP_SIZE; h < (key_head + 1u) * GROUP_SIZE; h++) {
      let pair = query * HEADS + h;
      let row = pair * N;
      var product = vec4f();
      var dp = vec4f();
      for (var i = 0u; i < N; i++) {
        let x = keys[i];
        let y = values[i];
        product += vec4f(
          dot(q[row.x + i], x),
          dot(q[row.y + i], x),
          dot(q[row.z + i], x),
          dot(q[row.w + i], x),
        );
        dp += vec4f(
          dot(d_o[row.x + i], y),
          dot(d_o[row.y + i], y),
          dot(d_o[row.z + i], y),
          dot(d_o[row.w + i], y),
        );
      }
      let lse = vec4f(stats[pair.x].x, stats[pair.y].x, stats[pair.z].x, stats[pair.w].x);
      let delta = vec4f(stats[pair.x].y, stats[pair.y].y, stats[pair.z].y, stats[pair.w].y);
      let score = attention_score(product);
      let p = select(vec4f(), exp(score - lse), is_query);
      let ds = p * (dp - delta) * attention_slope(score);
      for (var i = 0u; i < N; i++) {
        sum_k[i] += ds.x * q[row.x + i] + ds.y * q[row.y + i] + ds.z * q[row.z + i] + ds.w * q[row.w + i];
        sum_v[i] += p.x * d_o[row.x + i] + p.y * d_o[row.y + i] + p.z * d_o[row.z + i] + p.w * d_o[row.w + i];
      }
    }
  }
  for (var i = 0u; i < N; i++) {
    dk[key + i] = sum_k[i];
    dv[key + i] = sum_v[i];
  }
}
