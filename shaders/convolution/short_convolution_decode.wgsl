// One token a slot of the causal depthwise convolution, at the slot's position p. The state is a ring of the
// last TAPS inputs:
//   state[s, p mod TAPS, c] = x[s, c]
//   y[s, c] = sum_back w[c, TAPS - 1 - back] state[s, (p - back) mod TAPS, c]
// over the positions p - back that are not negative.
// Buffers: y, x [SLOTS, C]; state [SLOTS, TAPS, C], read and written; positions [SLOTS] u32; the weight w [C,
//   TAPS], any kind.
// Constants: SLOTS, C, TAPS, WEIGHT_KIND.
// Threads: one invocation an element of y.
#include "lib/grid.wgsl"
#include "lib/weight/element.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read_write> state: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> positions: array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= SLOTS * C) {
    return;
  }
  let slot = i / C;
  let c = i % C;
  let position = positions[slot];
  var sum = weight_at(c * TAPS + TAPS - 1u) * x[i];
  for (var back = 1u; back < min(TAPS, position + 1u); back++) {
    sum += weight_at(c * TAPS + TAPS - 1u - back) * state[(slot * TAPS + (position - back) % TAPS) * C + c];
  }
  state[(slot * TAPS + position % TAPS) * C + c] = x[i];
  y[i] = sum;
}
