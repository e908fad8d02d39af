// The row of the rotation's tables that each token reads: rows[t] = positions[t], or P rows further where the
// sequence of token t is longer than ORIGINAL (LongRoPE has a second set of tables for those).
// Buffers: rows, positions, start, end [T] u32; start and end are those of the token's document.
// Constants: T, P, ORIGINAL.
// Threads: one invocation a token.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> rows: array<u32>;
@group(0) @binding(1) var<storage, read> positions: array<u32>;
@group(0) @binding(2) var<storage, read> start: array<u32>;
@group(0) @binding(3) var<storage, read> end: array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let t = flat_index(group, groups, local, 64u);
  if (t >= T) {
    return;
  }
  rows[t] = positions[t] + select(0u, P, end[t] > start[t] + ORIGINAL);
}
