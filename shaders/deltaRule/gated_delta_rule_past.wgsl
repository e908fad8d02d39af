// The product of a token's state with a row of it, summed over the value heads h that share the key head:
//   y[t, n] = sum_h (exp(factors[t, h].x) sum_j states[chunk, h, j, n] row[t, h, j]
//             + sum over s of the chunk of scores[SCORES, t, h, s] k[s, n])
// The first term is there where the document began before the chunk. SCORES 0: y is dq and row is do.
// SCORES 1: y is the part of dk that comes through what the state predicted, and row is -beta dchange.
// Buffers: y, k [T, HEADS / GROUP DK]; rows [T, HEADS DV], do or dchange; states [CHUNKS, HEADS, DV, DK];
//   scores [2, T, HEADS, CHUNK]; factors [T, HEADS] of vec2f; document_start [T] u32.
// Constants: T, HEADS, GROUP, DK, DV, CHUNK, SCORES.
// Threads: one invocation an element of y.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> k: array<f32>;
@group(0) @binding(2) var<storage, read> rows: array<f32>;
@group(0) @binding(3) var<storage, read> states: array<f32>;
@group(0) @binding(4) var<storage, read> scores: array<f32>;
@group(0) @binding(5) var<storage, read> factors: array<vec2f>;
@group(0) @binding(6) var<storage, read> document_start: array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
  const KEY_HEADS = HEADS / GROUP;
  if (i >= T * KEY_HEADS * DK) {
    return;
  }
  let n = i % DK;
  let key_head = i / DK % KEY_HEADS;
  let t = i / DK / KEY_HEADS;
  let begin = t / CHUNK * CHUNK;
  let first = max(begin, document_start[t]);
  var sum = 0.0;
  for (var head = key_head * GROUP; head < (key_head + 1u) * GROUP; head++) {
    if (document_start[t] < begin) {
      var from_state = 0.0;
      let state = (t / CHUNK * HEADS + head) * DV * DK + n;
      for (var j = 0u; j < DV; j++) {
        from_state += states[state + j * DK] * rows[(t * HEADS + head) * DV + j];
      }
      let factor = factors[t * HEADS + head];
      sum += from_state * exp(factor.x) * select(1.0, -factor.y, SCORES == 1u);
    }
    let row = ((SCORES * T + t) * HEADS + head) * CHUNK;
    for (var s = first; s <= t; s++) {
      sum += scores[row + s - begin] * k[(s * KEY_HEADS + key_head) * DK + n];
    }
  }
  y[i] = sum;
}
