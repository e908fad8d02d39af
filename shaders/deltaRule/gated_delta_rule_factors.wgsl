// For each token and value head the sum of the logarithms of decay from the beginning of its chunk, or of its
// document where that lies in the chunk, up to the token; and its beta:
//   factors[t, h] = (sum over r of gates[r, h], gates[t, HEADS + h])
// Buffers: factors [T, HEADS] of vec2f; gates [T, 2 HEADS]; document_start [T] u32.
// Constants: T, HEADS, CHUNK, CHUNKS.
// Threads: one invocation a chunk and head.
@group(0) @binding(0) var<storage, read_write> factors: array<vec2f>;
@group(0) @binding(1) var<storage, read> gates: array<f32>;
@group(0) @binding(2) var<storage, read> document_start: array<u32>;
#include "lib/grid.wgsl"

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= CHUNKS * HEADS) {
    return;
  }
  let head = i % HEADS;
  let begin = i / HEADS * CHUNK;
  var sum = 0.0;
  for (var t = begin; t < min(T, begin + CHUNK); t++) {
    if (document_start[t] == t) {
      sum = 0.0;
    }
    sum += gates[t * 2u * HEADS + head];
    factors[t * HEADS + head] = vec2f(sum, gates[t * 2u * HEADS + HEADS + head]);
  }
}
