// loss[r] = log sum_v exp(z[r, v]) - z[r, target]; 0 where target < 0. correct[r] = 1 where target is the first v of the largest z[r, v]. z = SOFTCAP tanh(logit / SOFTCAP) where SOFTCAP > 0.
// With GRADIENT the logits are overwritten by dloss/dlogit = (softmax(z) - onehot) dz/dlogit; a row without a target becomes zeros.
// Buffers: 0 logits [ROWS, V], 1 loss [ROWS], 2 targets [ROWS] i32, 3 correct [ROWS]. Threads: one workgroup a row.
#include "lib/row.wgsl"
@group(0) @binding(0) var<storage, read_write> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> loss: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<i32>;
@group(0) @binding(3) var<storage, read_write> correct: array<f32>;

fn capped(logit: f32) -> f32 {
  if (SOFTCAP > 0.0) {
    return SOFTCAP * tanh(logit / SOFTCAP);
  }
  return logit;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= ROWS) {
    return;
  }
  let base = row * V;
  let wanted = targets[row];
  var own = -3.0e38;
  var place = 0u;
  for (var i = local; i < V; i += WORKGROUP) {
    let z = capped(logits[base + i]);
    if (z > own) {
      own = z;
      place = i;
    }
  }
  let largest = row_max(own, local);
  // Places below 2^24 are exact in f32.
  let first = -row_max(select(-3.0e38, -f32(place), own == largest), local);
  var total = 0.0;
  for (var i = local; i < V; i += WORKGROUP) {
    total += exp(capped(logits[base + i]) - largest);
  }
  total = row_sum(total, local);
  if (local == 0u) {
    var value = 0.0;
    if (wanted >= 0) {
      value = largest + log(total) - capped(logits[base + u32(wanted)]);
    }
    loss[row] = value;
    correct[row] = select(0.0, 1.0, wanted >= 0 && f32(wanted) == first);
  }
  if (GRADIENT) {
    workgroupBarrier();
    for (var i = local; i < V; i += WORKGROUP) {
      let z = capped(logits[base + i]);
      var slope = exp(z - largest) / total - select(0.0, 1.0, i32(i) == wanted);
      if (SOFTCAP > 0.0) {
        slope *= 1.0 - (z / SOFTCAP) * (z / SOFTCAP);
      }
      logits[base + i] = select(0.0, slope, wanted >= 0);
    }
  }
}
