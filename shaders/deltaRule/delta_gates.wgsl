// The gates of the gated delta rule, a row's decays and then its betas:
//   gates[t, h] = -exp(w[h]) softplus(a[t, h]), the logarithm of the decay
//   gates[t, HEADS + h] = sigmoid(b[t, h])
// Buffers: gates [T, 2 HEADS]; a, b [T, HEADS]; the weight w [HEADS], any kind (lib/weight/element.wgsl).
// Constants: T, HEADS, WEIGHT_KIND.
// Threads: one invocation an element of a.
#include "lib/grid.wgsl"
#include "lib/weight/element.wgsl"
@group(0) @binding(0) var<storage, read_write> gates: array<f32>;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;

// log(1 + exp(x)). With z = exp(-|x|) it is max(x, 0) + log(1 + z) = max(x, 0) + 2 artanh(z / (2 + z)), whose
// argument is at most 1/3: seven terms of its series lose nothing, as 1 + z would where z is small.
fn softplus(x: f32) -> f32 {
  let z = exp(-abs(x));
  let w = z / (2.0 + z);
  let w2 = w * w;
  let series = 1.0 + w2 * (1.0 / 3.0 + w2 * (1.0 / 5.0 + w2 * (1.0 / 7.0 + w2 * (1.0 / 9.0
    + w2 * (1.0 / 11.0 + w2 / 13.0)))));
  return max(x, 0.0) + 2.0 * w * series;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= T * HEADS) {
    return;
  }
  let head = i % HEADS;
  let row = i / HEADS * 2u * HEADS;
  gates[row + head] = -exp(weight_at(head)) * softplus(a[i]);
  gates[row + HEADS + head] = 1.0 / (1.0 + exp(-b[i]));
}
