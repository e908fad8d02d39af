// cache[slots[t], positions[t], c] = x[t, c]; tokens whose slot is SLOTS or more are dropped.
// Buffers: 0 cache [SLOTS, LENGTH, WIDTH], 1 x [T, WIDTH], 2 slots [T] u32, 3 positions [T] u32. Threads: one invocation an element of x.
#include "lib/flat.wgsl"
@group(0) @binding(0) var<storage, read_write> cache: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> slots: array<u32>;
@group(0) @binding(3) var<storage, read> positions: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= T * WIDTH) {
    return;
  }
  let t = i / WIDTH;
  if (slots[t] < SLOTS && positions[t] < LENGTH) {
    cache[(slots[t] * LENGTH + positions[t]) * WIDTH + i % WIDTH] = x[i];
  }
}
