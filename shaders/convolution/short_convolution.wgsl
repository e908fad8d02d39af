// Causal depthwise convolution within each document:
//   y[t, c] = sum_k w[c, k] x[t - (TAPS - 1) + k, c]  over the taps k whose token is not before border[t]
// where border[t] is the first token of t's document. Where TRANSPOSED, the gradient of that:
//   y[t, c] = sum_k w[c, k] x[t + (TAPS - 1) - k, c]  over the taps k whose token is before border[t]
// where border[t] is one past the last token of t's document. The result is added to y where ACCUMULATE.
// Buffers: y, x [T, C]; border [T] u32; the weight w [C, TAPS], any kind (lib/weight/element.wgsl).
// Constants: T, C, TAPS, TRANSPOSED, ACCUMULATE, WEIGHT_KIND.
// Threads: one invocation an element of y.
#include "lib/grid.wgsl"
#include "lib/weight/element.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> border: array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= T * C) {
    return;
  }
  let t = i / C;
  let c = i % C;
  var sum = 0.0;
  for (var back = 0u; back < TAPS; back++) {
    let tap = weight_at(c * TAPS + TAPS - 1u - back);
    if (TRANSPOSED) {
      if (t + back < border[t]) {
        sum += tap * x[(t + back) * C + c];
      }
    } else if (t >= border[t] + back) {
      sum += tap * x[(t - back) * C + c];
    }
  }
  if (ACCUMULATE) {
    sum += y[i];
  }
  y[i] = sum;
}
