// Rotary embedding, halves rotated (the Llama layout), of the first ROTATED elements of each head: for i < R = ROTATED/2, p = rows[t], s = SIGN:
//   y[i] = x[i] cos[p, i] - s x[i + R] sin[p, i],  y[i + R] = x[i + R] cos[p, i] + s x[i] sin[p, i];  y = x from ROTATED to D
// SIGN -1 is the inverse rotation, which is the gradient (added to y where ACCUMULATE).
// Buffers: 0 y [T, HEADS D], 1 x, 2 cos [P, R], 3 sin [P, R], 4 rows [T] u32 (< P). Threads: one invocation a pair.
#include "lib/flat.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> cos_table: array<f32>;
@group(0) @binding(3) var<storage, read> sin_table: array<f32>;
@group(0) @binding(4) var<storage, read> rows: array<u32>;

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
  if (pair >= T * HEADS * (D / 2u)) {
    return;
  }
  let head = pair / (D / 2u);
  let i = pair % (D / 2u);
  let half = ROTATED / 2u;
  if (i >= half) {
    let rest = head * D + 2u * i;
    store(rest, x[rest]);
    store(rest + 1u, x[rest + 1u]);
    return;
  }
  let entry = min(rows[head / HEADS], P - 1u) * half + i;
  let cosine = cos_table[entry];
  let sine = SIGN * sin_table[entry];
  let low = x[head * D + i];
  let high = x[head * D + half + i];
  store(head * D + i, low * cosine - high * sine);
  store(head * D + half + i, high * cosine + low * sine);
}
