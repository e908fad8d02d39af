// attention_decode.wgsl for CPU adapters.
// Buffers: o, q [SLOTS, HEADS D]; k, v [SLOTS, LENGTH, HEADS / GROUP_SIZE D], the cache (named as
//   lib/attention/serial_softmax.wgsl reads them); positions [SLOTS] u32.
// Constants: ROWS, the slots times the heads; LENGTH and those of attention_serial.wgsl but T.
// Threads: one invocation a slot and head, four keys at a time.
#include "lib/row_serial.wgsl"
#include "lib/attention/scores.wgsl"
#include "lib/attention/vector.wgsl"
#include "lib/attention/four_keys.wgsl"
@group(0) @binding(0) var<storage, read_write> o: array<Vector>;
@group(0) @binding(1) var<storage, read> q: array<Vector>;
@group(0) @binding(2) var<storage, read> k: array<Vector>;
@group(0) @binding(3) var<storage, read> v: array<Vector>;
@group(0) @binding(4) var<storage, read> positions: array<u32>;

const N: u32 = D / VECTOR_WIDTH;

@compute @workgroup_size(ROW_THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) id: u32,
) {
  let query_row = row_of(group, groups, id);
  if (query_row >= ROWS) {
    return;
  }
  let slot = query_row / HEADS;
  let head = query_row % HEADS;
  let row = query_row * N;
  let t = min(positions[slot], LENGTH - 1u);
  let first = first_key(t, 0u);
  let base = slot * LENGTH * (HEADS / GROUP_SIZE) * N;
#include "lib/attention/serial_softmax.wgsl"
}
