// Keeps each document's last TAPS inputs, so that decoding can go on from them:
//   state[slots[t], positions[t] mod TAPS, c] = x[t, c]
// where t is one of the last TAPS tokens of its document.
// Tokens whose slot is SLOTS or more are dropped.
// Buffers: state [SLOTS, TAPS, C]; x [T, C]; slots, positions, document_end [T] u32.
// Constants: T, C, TAPS, SLOTS.
// Threads: one invocation an element of x.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> state: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> slots: array<u32>;
@group(0) @binding(3) var<storage, read> positions: array<u32>;
@group(0) @binding(4) var<storage, read> document_end: array<u32>;

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
  if (slots[t] < SLOTS && t + TAPS >= document_end[t]) {
    state[(slots[t] * TAPS + positions[t] % TAPS) * C + i % C] = x[i];
  }
}
