// What a key's gradient takes from the tokens after it, added to dk and summed over the value heads h that
// share the key head, with change[t] = beta[t] errors[t]:
//   dk[t, n] += sum_h (exp(factors[last, h].x - factors[t, h].x)
//                 * sum_j dstates[chunk, h, j, n] change[t, h, j]
//               + sum over s of the chunk of scores[0, s, h, t] q[s, n] + scores[1, s, h, t] k[s, n])
// The first term, with the last token of the chunk, is there where the document goes on after the chunk.
// Buffers: dk, q, k [T, HEADS / GROUP DK]; errors [T, HEADS DV]; dstates [CHUNKS, HEADS, DV, DK];
//   scores [2, T, HEADS, CHUNK]; factors [T, HEADS] of vec2f; document_end [T] u32.
// Constants: T, HEADS, GROUP, DK, DV, CHUNK.
// Threads: one invocation an element of dk.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> dk: array<f32>;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> errors: array<f32>;
@group(0) @binding(4) var<storage, read> dstates: array<f32>;
@group(0) @binding(5) var<storage, read> scores: array<f32>;
@group(0) @binding(6) var<storage, read> factors: array<vec2f>;
@group(0) @binding(7) var<storage, read> document_end: array<u32>;

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
  let end = min(T, begin + CHUNK);
  var sum = dk[i];
  for (var head = key_head * GROUP; head < (key_head + 1u) * GROUP; head++) {
    if (document_end[t] > end && end < T) {
      var from_state = 0.0;
      let state = (t / CHUNK * HEADS + head) * DV * DK + n;
      for (var j = 0u; j < DV; j++) {
        from_state += dstates[state + j * DK] * errors[(t * HEADS + head) * DV + j];
      }
      let now = factors[t * HEADS + head];
      sum += from_state * now.y * exp(factors[(end - 1u) * HEADS + head].x - now.x);
    }
    for (var s = t; s < min(end, document_end[t]); s++) {
      let at = (s * HEADS + head) * CHUNK + t - begin;
      let row = (s * KEY_HEADS + key_head) * DK + n;
      sum += scores[at] * q[row] + scores[T * HEADS * CHUNK + at] * k[row];
    }
  }
  dk[i] = sum;
}
