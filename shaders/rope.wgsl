// Rotary embedding, halves rotated (the Llama layout): for i < D/2, with p = positions[t] and s = SIGN:
//   y[i] = x[i] cos[p, i] - s x[i + D/2] sin[p, i],  y[i + D/2] = x[i + D/2] cos[p, i] + s x[i] sin[p, i]
// SIGN -1 is the inverse rotation, which is the gradient (added to y where ACCUMULATE).
// Buffers: 0 y [T, HEADS D], 1 x, 2 cos [P, D/2], 3 sin [P, D/2], 4 positions [T] u32 (< P). Threads: one invocation a pair.
#include "lib/flat.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> cos_table: array<f32>;
@group(0) @binding(3) var<storage, read> sin_table: array<f32>;
@group(0) @binding(4) var<storage, read> positions: array<u32>;

fn store(i: u32, value: f32) {
  if (ACCUMULATE) {
    y[i] += value;
  } else {
    y[i] = value;
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let pair = flat_index(group, groups, local, 64u);
  let half = D / 2u;
  if (pair >= T * HEADS * half) {
    return;
  }
  let head = pair / half;
  let i = pair % half;
  let entry = min(positions[head / HEADS], P - 1u) * half + i;
  let cosine = cos_table[entry];
  let sine = SIGN * sin_table[entry];
  let low = x[head * D + i];
  let high = x[head * D + half + i];
  store(head * D + i, low * cosine - high * sine);
  store(head * D + half + i, high * cosine + low * sine);
}
