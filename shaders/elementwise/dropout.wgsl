// y = x keep / (1 - P), where keep = 1 if the random number of (seed, step, SITE, document, position, column)
// is at least P, else 0. The mask depends on nothing else, so that recomputation sees the same one, and
// packing and neighbours do not change it. The result is added to y where ACCUMULATE.
// Buffers: y, x [T, WIDTH]; random [2] u32, the seed and the step; document_index, positions [T] u32.
// Constants: T, WIDTH, P, SITE (a number for the place in the model), ACCUMULATE.
// Threads: one invocation an element.
#include "lib/grid.wgsl"
#include "lib/random.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> random: array<u32>;
@group(0) @binding(3) var<storage, read> document_index: array<u32>;
@group(0) @binding(4) var<storage, read> positions: array<u32>;

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
  let keeps = random_unit(random_key(key, i % WIDTH)) >= P;
  let value = select(0.0, x[i] * (1.0 / (1.0 - P)), keeps);
  if (ACCUMULATE) {
    y[i] += value;
  } else {
    y[i] = value;
  }
}
