// y = x + NOISE / sqrt(L WIDTH) (2 u - 1), where L is the length of the token's document and u the random
// number in [0, 1) of (seed, step, SITE, document, position, column): NEFTune (arXiv:2310.05914).
// Buffers: y, x [T, WIDTH]; random [2] u32, the seed and the step; document_index, positions, document_start,
//   document_end [T] u32.
// Constants: T, WIDTH, NOISE, SITE (a number for the place in the model).
// Threads: one invocation an element.
#include "lib/grid.wgsl"
#include "lib/random.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> random: array<u32>;
@group(0) @binding(3) var<storage, read> document_index: array<u32>;
@group(0) @binding(4) var<storage, read> positions: array<u32>;
@group(0) @binding(5) var<storage, read> document_start: array<u32>;
@group(0) @binding(6) var<storage, read> document_end: array<u32>;

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
  let key = token_key(random[0], random[1], SITE, document_index[t], positions[t]);
  let size = NOISE / sqrt(f32(document_end[t] - document_start[t]) * f32(WIDTH));
  y[i] = x[i] + (2.0 * random_unit(random_key(key, i % WIDTH)) - 1.0) * size;
}
