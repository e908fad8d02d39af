// o[t, h] = sum_j softmax_j(score(q[t, h] . k[j, h / GROUP_SIZE])) v[j, h / GROUP_SIZE] over j from the query's first key to t; lse[t, h] = log sum exp.
// One pass with a running maximum (FlashAttention, arXiv:2205.14135): no [T, T] array exists.
// Buffers: 0 o [T, HEADS D], 1 lse [T, HEADS], 2 q [T, HEADS D], 3 k, 4 v [T, HEADS/GROUP_SIZE D], 5 document_start [T] u32.
// Threads: one invocation a query and head, four keys at a time.
#include "lib/grid.wgsl"
#include "lib/attention/scores.wgsl"
#include "lib/attention/vector.wgsl"
#include "lib/attention/four_keys.wgsl"
@group(0) @binding(0) var<storage, read_write> o: array<Vector>;
@group(0) @binding(1) var<storage, read_write> lse: array<f32>;
@group(0) @binding(2) var<storage, read> q: array<Vector>;
@group(0) @binding(3) var<storage, read> k: array<Vector>;
@group(0) @binding(4) var<storage, read> v: array<Vector>;
@group(0) @binding(5) var<storage, read> document_start: array<u32>;

const N: u32 = D / VECTOR_WIDTH;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = flat_index(group, groups, local, 64u);
  if (e >= T * HEADS) {
    return;
  }
  let head = e / T;
  let t = e % T;
  let row = (t * HEADS + head) * N;
  let first = first_key(t, document_start[t]);
  let base = 0u;
#include "lib/attention/serial_softmax.wgsl"
  lse[t * HEADS + head] = largest + log(total);
}
