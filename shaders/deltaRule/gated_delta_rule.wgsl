// The gated delta rule, token after token, with one state [DK, DV] a value head. For each column j of it:
//   s = exp(gates[t, h]) s;  error = v[t, h, j] - k[t] . s;  s = s + gates[t, HEADS + h] error k[t];
//   o[t, h, j] = q[t] . s
// A document begins with s = 0. GROUP neighbouring value heads share a head of q and k.
// Where KEEPS it also writes what the backward pass needs: errors, and in states the s with which each chunk
// of CHUNK tokens begins. Where WRITES_STATE it writes the s of each document's last token to its slot of
// state; slots of SLOTS or more are dropped.
// Buffers: o, v, errors [T, HEADS DV]; q, k [T, HEADS / GROUP DK]; gates [T, 2 HEADS]; document_start, slots
//   [T] u32; states [CHUNKS, HEADS, DV, DK]; state [SLOTS, HEADS, DV, DK].
// Constants: T, HEADS, GROUP, DK, DV, CHUNK, CHUNKS, KEEPS, WRITES_STATE, SLOTS.
// Threads: one invocation a column and chunk, which computes the documents that begin in the chunk to their
//   ends.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> o: array<f32>;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> gates: array<f32>;
@group(0) @binding(5) var<storage, read> document_start: array<u32>;
#if KEEPS
@group(0) @binding(6) var<storage, read_write> errors: array<f32>;
@group(0) @binding(7) var<storage, read_write> states: array<f32>;
#endif
#if WRITES_STATE
@group(0) @binding(6) var<storage, read_write> state: array<f32>;
@group(0) @binding(7) var<storage, read> slots: array<u32>;
#endif

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= CHUNKS * HEADS * DV) {
    return;
  }
  let column = i % (HEADS * DV);
  let head = column / DV;
  let end = min(T, (i / (HEADS * DV) + 1u) * CHUNK);
  var t = i / (HEADS * DV) * CHUNK;
  while (t < end && document_start[t] != t) {
    t++;
  }
  if (t == end) {
    return;
  }
  var s = array<f32, DK>();
  while (t < T && (t < end || document_start[t] != t)) {
    if (document_start[t] == t) {
      for (var n = 0u; n < DK; n++) {
        s[n] = 0.0;
      }
    }
#if KEEPS
    if (t % CHUNK == 0u) {
      for (var n = 0u; n < DK; n++) {
        states[(t / CHUNK * HEADS * DV + column) * DK + n] = s[n];
      }
    }
#endif
    let decay = exp(gates[t * 2u * HEADS + head]);
    let row = (t * (HEADS / GROUP) + head / GROUP) * DK;
    var seen = 0.0;
    for (var n = 0u; n < DK; n++) {
      s[n] *= decay;
      seen += k[row + n] * s[n];
    }
    let error = v[t * HEADS * DV + column] - seen;
    let change = gates[t * 2u * HEADS + HEADS + head] * error;
    var sum = 0.0;
    for (var n = 0u; n < DK; n++) {
      s[n] += change * k[row + n];
      sum += q[row + n] * s[n];
    }
    o[t * HEADS * DV + column] = sum;
#if KEEPS
    errors[t * HEADS * DV + column] = error;
#endif
#if WRITES_STATE
    if (slots[t] < SLOTS && (t + 1u == T || document_start[min(t + 1u, T - 1u)] == t + 1u)) {
      for (var n = 0u; n < DK; n++) {
        state[(slots[t] * HEADS * DV + column) * DK + n] = s[n];
      }
    }
#endif
    t++;
  }
}
