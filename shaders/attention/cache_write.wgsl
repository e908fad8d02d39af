// Writes keys and values of new tokens to the KV cache: keys[slots[t], positions[t], c] = k[t, c], and values
// likewise from v. Tokens whose slot is SLOTS or more, or whose position is LENGTH or more, are dropped.
// Buffers: keys, values [SLOTS, LENGTH, WIDTH]; k, v [T, WIDTH]; slots, positions [T] u32.
// Constants: T, WIDTH, SLOTS, LENGTH.
// Threads: one invocation an element of k.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> keys: array<f32>;
@group(0) @binding(1) var<storage, read_write> values: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> slots: array<u32>;
@group(0) @binding(5) var<storage, read> positions: array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= T * WIDTH) {
    return;
  }
  let t = i / WIDTH;
  if (slots[t] < SLOTS && positions[t] < LENGTH) {
    let to = (slots[t] * LENGTH + positions[t]) * WIDTH + i % WIDTH;
    keys[to] = k[i];
    values[to] = v[i];
  }
}
