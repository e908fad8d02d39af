// What a token t takes over from an earlier token s of its chunk and document, at s' place in the chunk, with
// decay(s, t) = exp(factors[t].x - factors[s].x) and change[s] = beta[s] errors[s]:
//   scores[0, t, h, s] = decay(s, t) do[t] . change[s], s up to t
//   scores[1, t, h, s] = -decay(s, t) beta[t] dchange[t] . change[s], s before t
// and 0 elsewhere; the products are over a head's DV elements.
// Buffers: scores [2, T, HEADS, CHUNK]; do_, errors, dchange [T, HEADS DV]; factors [T, HEADS] of vec2f;
//   document_start [T] u32.
// Constants: T, HEADS, DV, CHUNK.
// Threads: one invocation a token, head and s.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> scores: array<f32>;
@group(0) @binding(1) var<storage, read> do_: array<f32>;
@group(0) @binding(2) var<storage, read> errors: array<f32>;
@group(0) @binding(3) var<storage, read> dchange: array<f32>;
@group(0) @binding(4) var<storage, read> factors: array<vec2f>;
@group(0) @binding(5) var<storage, read> document_start: array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= T * HEADS * CHUNK) {
    return;
  }
  let head = i / CHUNK % HEADS;
  let t = i / CHUNK / HEADS;
  let s = t / CHUNK * CHUNK + i % CHUNK;
  var outputs = 0.0;
  var changes = 0.0;
  if (s <= t && s >= document_start[t]) {
    let now = factors[t * HEADS + head];
    let then = factors[s * HEADS + head];
    for (var n = 0u; n < DV; n++) {
      let error = errors[(s * HEADS + head) * DV + n];
      outputs += do_[(t * HEADS + head) * DV + n] * error;
      changes += dchange[(t * HEADS + head) * DV + n] * error;
    }
    let share = exp(now.x - then.x) * then.y;
    outputs *= share;
    changes *= select(0.0, -share * now.y, s < t);
  }
  scores[i] = outputs;
  scores[T * HEADS * CHUNK + i] = changes;
}
