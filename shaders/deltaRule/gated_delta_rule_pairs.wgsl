// What two tokens t and s of a chunk and document have to do with each other, at s' place in the chunk:
//   pairs[t, h, s] = exp(-|factors[t, h].x - factors[s, h].x|) a[t] . b[s] (factors[s, h].y where HAS_BETA)
// for s before t, or after it where AFTER; also for s = t where HAS_SELF; and 0 elsewhere. a and b are rows
// of q or k of the key head that h shares.
// Buffers: pairs [T, HEADS, CHUNK]; a, b [T, HEADS / GROUP DK]; factors [T, HEADS] of vec2f
//   (gated_delta_rule_factors.wgsl); document_start [T] u32.
// Constants: T, HEADS, GROUP, DK, CHUNK, AFTER, HAS_SELF, HAS_BETA.
// Threads: one invocation a token, head and s.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> pairs: array<f32>;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> factors: array<vec2f>;
@group(0) @binding(4) var<storage, read> document_start: array<u32>;

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
  var pair = 0.0;
  if (s < T && ((s < t && !AFTER) || (t < s && AFTER) || (HAS_SELF && s == t))) {
    if (document_start[s] == document_start[t]) {
      const KEY_HEADS = HEADS / GROUP;
      let left = (t * KEY_HEADS + head / GROUP) * DK;
      let right = (s * KEY_HEADS + head / GROUP) * DK;
      for (var n = 0u; n < DK; n++) {
        pair += a[left + n] * b[right + n];
      }
      let then = factors[s * HEADS + head];
      pair *= exp(-abs(factors[t * HEADS + head].x - then.x)) * select(1.0, then.y, HAS_BETA);
    }
  }
  pairs[i] = pair;
}
