// One more token a slot of the gated delta rule (gated_delta_rule.wgsl): updates the slot's state and reads
// it. At position 0 the state counts as zero.
// Buffers: o, v [SLOTS, HEADS DV]; q, k [SLOTS, HEADS / GROUP DK]; gates [SLOTS, 2 HEADS]; positions [SLOTS]
//   u32; state [SLOTS, HEADS, DV, DK], read and written.
// Constants: SLOTS, HEADS, GROUP, DK, DV.
// Threads: one invocation a column of a slot.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> o: array<f32>;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> gates: array<f32>;
@group(0) @binding(5) var<storage, read> positions: array<u32>;
@group(0) @binding(6) var<storage, read_write> state: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= SLOTS * HEADS * DV) {
    return;
  }
  let slot = i / (HEADS * DV);
  let head = i % (HEADS * DV) / DV;
  let decay = exp(gates[slot * 2u * HEADS + head]);
  let row = (slot * (HEADS / GROUP) + head / GROUP) * DK;
  let known = positions[slot] > 0u;
  var seen = 0.0;
  for (var n = 0u; n < DK; n++) {
    let s = select(0.0, decay * state[i * DK + n], known);
    state[i * DK + n] = s;
    seen += k[row + n] * s;
  }
  let change = gates[slot * 2u * HEADS + HEADS + head] * (v[i] - seen);
  var sum = 0.0;
  for (var n = 0u; n < DK; n++) {
    let s = state[i * DK + n] + change * k[row + n];
    state[i * DK + n] = s;
    sum += q[row + n] * s;
  }
  o[i] = sum;
}
