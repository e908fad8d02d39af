// y = x keep / (1 - P), keep = 1 where the random number of (seed, step, SITE, document, position, column) is at least P.
// The mask depends on nothing else, so recomputation, packing and neighbours do not change it (y += where ACCUMULATE).
// Buffers: 0 y [T, WIDTH], 1 x [T, WIDTH], 2 random [2] u32 (seed, step), 3 document_index [T] u32, 4 positions [T] u32. Threads: one an element.
#include "lib/grid.wgsl"
#include "lib/random.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> random: array<u32>;
@group(0) @binding(3) var<storage, read> document_index: array<u32>;
@group(0) @binding(4) var<storage, read> positions: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= T * WIDTH) {
    return;
  }
  let t = i / WIDTH;
  let step_key = random_key(random_key(mix32(random[0]), random[1]), SITE);
  let token_key = random_key(random_key(step_key, document_index[t]), positions[t]);
  let kept = random_unit(random_key(token_key, i % WIDTH)) >= P;
  let value = select(0.0, x[i] * (1.0 / (1.0 - P)), kept);
  if (ACCUMULATE) {
    y[i] += value;
  } else {
    y[i] = value;
  }
}
