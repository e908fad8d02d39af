// Solves (1 + P) x = r within each chunk, P being pairs[t, h, s] (gated_delta_rule_pairs.wgsl), token after
// token from the chunk's first, or from its last where AFTER. r and x have DV + DK columns:
//   the first DV: r = rows[t, h, j], x to y[t, h, j];
//   the others: r = carry k[t, n], x to keys[t, h, n].
// carry is what is left at t of the state with which the chunk begins, exp(factors[t, h].x) where t's
// document began before the chunk; where AFTER, what is left at the chunk's last token of what t adds,
// exp(factors[last, h].x - factors[t, h].x) where t's document goes on after the chunk; and 0 elsewhere.
// Buffers: y, rows [T, HEADS DV]; keys [T, HEADS DK]; pairs [T, HEADS, CHUNK]; k [T, HEADS / GROUP DK];
//   factors [T, HEADS] of vec2f; document_start [T] u32.
// Constants: T, HEADS, GROUP, DK, DV, CHUNK, CHUNKS, AFTER.
// Threads: one invocation a chunk, head and column.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read_write> keys: array<f32>;
@group(0) @binding(2) var<storage, read> rows: array<f32>;
@group(0) @binding(3) var<storage, read> pairs: array<f32>;
@group(0) @binding(4) var<storage, read> k: array<f32>;
@group(0) @binding(5) var<storage, read> factors: array<vec2f>;
@group(0) @binding(6) var<storage, read> document_start: array<u32>;
// Each invocation reads only what it wrote itself.
var<workgroup> solved: array<f32, CHUNK * 64>;

fn carry(t: u32, head: u32, begin: u32, last: u32) -> f32 {
  let now = factors[t * HEADS + head].x;
#if AFTER
  let goes_on = last + 1u < T && document_start[min(last + 1u, T - 1u)] == document_start[t];
  return select(0.0, exp(factors[last * HEADS + head].x - now), goes_on);
#else
  return select(0.0, exp(now), document_start[t] < begin);
#endif
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= CHUNKS * HEADS * (DV + DK)) {
    return;
  }
  let column = i % (DV + DK);
  let head = i / (DV + DK) % HEADS;
  let begin = i / (DV + DK) / HEADS * CHUNK;
  let count = min(T - begin, CHUNK);
  for (var step = 0u; step < count; step++) {
#if AFTER
    let place = count - 1u - step;
#else
    let place = step;
#endif
    let t = begin + place;
    var x = 0.0;
    if (column < DV) {
      x = rows[(t * HEADS + head) * DV + column];
    } else {
      let n = column - DV;
      x = carry(t, head, begin, begin + count - 1u) * k[(t * (HEADS / GROUP) + head / GROUP) * DK + n];
    }
    let row = (t * HEADS + head) * CHUNK;
#if AFTER
    for (var s = place + 1u; s < count; s++) {
#else
    for (var s = 0u; s < place; s++) {
#endif
      x -= pairs[row + s] * solved[s * 64u + local];
    }
    solved[place * 64u + local] = x;
    if (column < DV) {
      y[(t * HEADS + head) * DV + column] = x;
    } else {
      keys[(t * HEADS + head) * DK + column - DV] = x;
    }
  }
}
