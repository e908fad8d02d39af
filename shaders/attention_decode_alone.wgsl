// attention_decode.wgsl on CPU adapters. Buffers: as there. Threads: one invocation a slot and head, four keys at a time.
#include "lib/scores.wgsl"
#include "lib/{VECTOR}.wgsl"
#include "lib/four_keys.wgsl"
@group(0) @binding(0) var<storage, read_write> o: array<Vector>;
@group(0) @binding(1) var<storage, read> q: array<Vector>;
@group(0) @binding(2) var<storage, read> k: array<Vector>;
@group(0) @binding(3) var<storage, read> v: array<Vector>;
@group(0) @binding(4) var<storage, read> positions: array<u32>;

const N: u32 = D / WIDTH;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= SLOTS * HEADS) {
    return;
  }
  let slot = id.x / HEADS;
  let head = id.x % HEADS;
  let row = id.x * N;
  let t = min(positions[slot], LENGTH - 1u);
  let first = first_key(t, 0u);
  let base = slot * LENGTH * (HEADS / GROUP) * N;
#include "lib/attention_alone.wgsl"
}
