// What the tokens of a chunk give each other, and where HAS_STATE what the state gives them with which the
// chunk begins:
//   y[t, h, j] = sum over s of the chunk of pairs[t, h, s] rows[s, h, j]
//              + exp(factors[t, h].x) sum_n q[t, n] states[chunk, h, j, n]
// The second term is there where t's document began before the chunk.
// Buffers: y, rows [T, HEADS DV]; pairs [T, HEADS, CHUNK]; where HAS_STATE, q [T, HEADS / GROUP DK], states
//   [CHUNKS, HEADS, DV, DK], factors [T, HEADS] of vec2f and document_start [T] u32.
// Constants: T, HEADS, GROUP, DK, DV, CHUNK, HAS_STATE.
// Threads: one invocation an element of y.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> rows: array<f32>;
@group(0) @binding(2) var<storage, read> pairs: array<f32>;
#if HAS_STATE
@group(0) @binding(3) var<storage, read> q: array<f32>;
@group(0) @binding(4) var<storage, read> states: array<f32>;
@group(0) @binding(5) var<storage, read> factors: array<vec2f>;
@group(0) @binding(6) var<storage, read> document_start: array<u32>;
#endif

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= T * HEADS * DV) {
    return;
  }
  let j = i % DV;
  let head = i / DV % HEADS;
  let t = i / DV / HEADS;
  let begin = t / CHUNK * CHUNK;
  var sum = 0.0;
#if HAS_STATE
  if (document_start[t] < begin) {
    let query = (t * (HEADS / GROUP) + head / GROUP) * DK;
    let state = ((t / CHUNK * HEADS + head) * DV + j) * DK;
    for (var n = 0u; n < DK; n++) {
      sum += q[query + n] * states[state + n];
    }
    sum *= exp(factors[t * HEADS + head].x);
  }
#endif
  for (var s = begin; s < min(T, begin + CHUNK); s++) {
    sum += pairs[(t * HEADS + head) * CHUNK + s - begin] * rows[(s * HEADS + head) * DV + j];
  }
  y[i] = sum;
}
