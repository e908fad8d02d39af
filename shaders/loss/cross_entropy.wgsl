// loss[r] = log sum_v exp(z[r, v]) - z[r, target], and 0 where target < 0. correct[r] = 1 where target is the
// first v of the largest z[r, v], else 0. Here z = SOFTCAP tanh(logit / SOFTCAP), or the logit itself where
// SOFTCAP is 0. Where SMOOTHED, a share SMOOTHING of the label is spread over all v:
//   loss[r] = log sum_v exp(z[r, v]) - (1 - SMOOTHING) z[r, target] - SMOOTHING / V sum_v z[r, v].
// Where GRADIENT, the logits are overwritten by
//   dloss / dlogit = (softmax(z) - label) dz / dlogit
// and a row without a target by zeros.
// Buffers: logits [ROWS, V], read and written; loss, correct [ROWS]; targets [ROWS] i32.
// Constants: ROWS, V, SOFTCAP, SMOOTHED, SMOOTHING, GRADIENT, WORKGROUP.
// Threads: one workgroup of WORKGROUP invocations a row.
#include "lib/row.wgsl"
#include "lib/softcap.wgsl"
@group(0) @binding(0) var<storage, read_write> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> loss: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<i32>;
@group(0) @binding(3) var<storage, read_write> correct: array<f32>;

// Four logits of a row, WORKGROUP apart. Past its end they are very small.
fn four(base: u32, i: u32) -> vec4f {
  let at = i + WORKGROUP * vec4u(0u, 1u, 2u, 3u);
  let place = base + min(at, vec4u(V - 1u));
  let z = vec4f(logits[place.x], logits[place.y], logits[place.z], logits[place.w]);
  return select(vec4f(-3.0e38), vec4f(capped(z.x), capped(z.y), capped(z.z), capped(z.w)), at < vec4u(V));
}

fn put(base: u32, i: u32, slope: f32) {
  if (i < V) {
    logits[base + i] = slope;
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = group.y * groups.x + group.x;
  if (row >= ROWS) {
    return;
  }
  let base = row * V;
  let wanted = targets[row];
  // One sweep makes the largest logit so far, its place, and the sum of exponentials relative to it.
  var own = -3.0e38;
  var place = 0u;
  var mass = 0.0;
  for (var i = local; i < V; i += 4u * WORKGROUP) {
    let z = four(base, i);
    let most = max(max(z.x, z.y), max(z.z, z.w));
    if (most > own) {
      mass *= exp(own - most);
      own = most;
      place = i + WORKGROUP * select(select(select(3u, 2u, z.z == most), 1u, z.y == most), 0u, z.x == most);
    }
    let e = exp(z - own);
    mass += e.x + e.y + e.z + e.w;
  }
  let largest = row_max(own, local);
  // Places below 2^24 are exact in f32.
  let first = -row_max(select(-3.0e38, -f32(place), own == largest), local);
  let total = row_sum(mass * exp(own - largest), local);
#if SMOOTHED
  var own_sum = 0.0;
  for (var i = local; i < V; i += WORKGROUP) {
    own_sum += capped(logits[base + i]);
  }
  let mean = row_sum(own_sum, local) / f32(V);
#endif
  if (local == 0u) {
    var value = 0.0;
    if (wanted >= 0) {
      var label = capped(logits[base + u32(wanted)]);
#if SMOOTHED
      label = (1.0 - SMOOTHING) * label + SMOOTHING * mean;
#endif
      value = largest + log(total) - label;
    }
    loss[row] = value;
    correct[row] = select(0.0, 1.0, wanted >= 0 && f32(wanted) == first);
  }
  if (GRADIENT) {
    workgroupBarrier();
    for (var i = local; i < V; i += 4u * WORKGROUP) {
      let z = four(base, i);
      let at = i + WORKGROUP * vec4u(0u, 1u, 2u, 3u);
#if SMOOTHED
      let isWanted = vec4i(at) == vec4i(wanted);
      let label = vec4f(SMOOTHING / f32(V)) + select(vec4f(), vec4f(1.0 - SMOOTHING), isWanted);
#else
      let label = select(vec4f(), vec4f(1.0), vec4i(at) == vec4i(wanted));
#endif
      var slope = exp(z - largest) / total - label;
      if (SOFTCAP > 0.0) {
        slope *= 1.0 - (z / SOFTCAP) * (z / SOFTCAP);
      }
      slope = select(vec4f(), slope, wanted >= 0);
      put(base, at.x, slope.x);
      put(base, at.y, slope.y);
      put(base, at.z, slope.z);
      put(base, at.w, slope.w);
    }
  }
}
