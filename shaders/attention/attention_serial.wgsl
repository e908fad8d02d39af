// Causal grouped-query attention within documents:
//   o[t, h] = sum_j softmax_j(score(q[t, h] . k[j, h / GROUP_SIZE])) v[j, h / GROUP_SIZE]
//   lse[t, h] = log sum_j exp(score)
// over the keys j from the query's first one to t.
// One pass with a running maximum (FlashAttention, arXiv:2205.14135), so that no [T, T] array exists. CPU
// adapters use it, and GPUs where a head is no multiple of 4 or does not fit workgroup memory.
// Buffers: o, q [T, HEADS D]; lse [T, HEADS]; k, v [T, HEADS / GROUP_SIZE D]; document_start [T] u32.
// Constants: T, HEADS, GROUP_SIZE (query heads a key head), D, VECTOR_WIDTH, and SCALE, SOFTCAP, WINDOW of
//   lib/attention/scores.wgsl.
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
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
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
