// The gradients of delta_gates.wgsl:
//   da[t, h] = -exp(w[h]) sigmoid(a[t, h]) dgates[t, h]
//   db[t, h] = sigmoid'(b[t, h]) dgates[t, HEADS + h]
// Buffers: da, db, a, b [T, HEADS]; dgates [T, 2 HEADS]; the weight w [HEADS], any kind.
// Constants: T, HEADS, WEIGHT_KIND.
// Threads: one invocation an element of a.
#include "lib/grid.wgsl"
#include "lib/weight/element.wgsl"
@group(0) @binding(0) var<storage, read_write> da: array<f32>;
@group(0) @binding(1) var<storage, read_write> db: array<f32>;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(8) var<storage, read> dgates: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= T * HEADS) {
    return;
  }
  let head = i % HEADS;
  let row = i / HEADS * 2u * HEADS;
  da[i] = -exp(weight_at(head)) / (1.0 + exp(-a[i])) * dgates[row + head];
  let beta = 1.0 / (1.0 + exp(-b[i]));
  db[i] = beta * (1.0 - beta) * dgates[row + HEADS + head];
}
