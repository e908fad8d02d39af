// The gradients of the decays' logarithms: dgates[t, h] becomes its sum from t to the end of the document.
// With G and S the gradients and values of the state, G . S grows by do . o - dv . v from a token to the one
// before.
// Buffers: dgates [T, 2 HEADS]; document_end [T] u32.
// Constants: T, HEADS, CHUNK, CHUNKS.
// Threads: one invocation a head and chunk, which computes the documents that end in the chunk.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> dgates: array<f32>;
@group(0) @binding(1) var<storage, read> document_end: array<u32>;

fn is_last(t: u32) -> bool {
  return min(document_end[t], T) == t + 1u;
}

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
  let begin = i / HEADS * CHUNK;
  var after = min(T, begin + CHUNK);
  while (after > begin && !is_last(after - 1u)) {
    after--;
  }
  if (after == begin) {
    return;
  }
  var sum = 0.0;
  while (after > 0u && (after > begin || !is_last(after - 1u))) {
    after--;
    if (is_last(after)) {
      sum = 0.0;
    }
    let at = after * 2u * HEADS + i % HEADS;
    sum += dgates[at];
    dgates[at] = sum;
  }
}
