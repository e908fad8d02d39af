// Rotary position embedding (arXiv:2104.09864) of the first ROTATED elements of each head, halves rotated
// (the Llama layout). For i < R = ROTATED / 2, p = rows[t] and s = SIGN:
//   y[i] = x[i] cos[p, i] - s x[i + R] sin[p, i],  y[i + R] = x[i + R] cos[p, i] + s x[i] sin[p, i]
// Elements from ROTATED to D stay as they are. Where INTERLEAVED the pair is (2i, 2i + 1) instead of (i, i +
// R). SIGN -1 is the transposed rotation, which is the gradient.
// PROJECTIONS values are rotated by the same rows. Where WRITES_CACHE they are queries, keys and values:
// values are not rotated, and keys and values go to row [slots[t], rows[t]] of the cache, or nowhere where
// slots[t] is SLOTS or more.
// Buffers: angles [P, 2, R], the cosines of a row, then its sines; rows [T] u32, below P; x0, x1, … [T,
//   HEADS<g> D]; y0, y1, … of the same shape, or the cache [SLOTS, LENGTH, HEADS<g> D]; where WRITES_CACHE,
//   slots [T] u32.
// Constants: T, D, ROTATED, P, SIGN, INTERLEAVED, PROJECTIONS, WRITES_CACHE, SLOTS, LENGTH. Projection g has
//   HEADS<g> heads, after FIRST<g> heads of those before it.
// Threads: one invocation a pair.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read> angles: array<f32>;
@group(0) @binding(2) var<storage, read> rows: array<u32>;
#if WRITES_CACHE
@group(0) @binding(3) var<storage, read> slots: array<u32>;
#endif
#repeat g PROJECTIONS
@group(0) @binding(1$g) var<storage, read> x$g: array<f32>;
@group(0) @binding(2$g) var<storage, read_write> y$g: array<f32>;
#endrepeat

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let pair = flat_index(group, groups, local, 64u);
  var projection = PROJECTIONS;
  var own = 0u;
  var heads = 1u;
#repeat g PROJECTIONS
  if (pair >= T * FIRST$g * (D / 2u) && pair < T * (FIRST$g + HEADS$g) * (D / 2u)) {
    projection = $gu;
    own = pair - T * FIRST$g * (D / 2u);
    heads = HEADS$g;
  }
#endrepeat
  let head = own / (D / 2u);
  let i = own % (D / 2u);
  let half = ROTATED / 2u;
  let row = rows[head / heads];
  var rotates = i < half;
  var to = head;
#if WRITES_CACHE
  rotates = rotates && projection < 2u;
  if (projection > 0u) {
    let slot = slots[head / heads];
    if (slot >= SLOTS || row >= LENGTH) {
      return;
    }
    to = (slot * LENGTH + row) * heads + head % heads;
  }
#endif
  let halves = rotates && !INTERLEAVED;
  let low_in = select(2u * i, i, halves);
  let high_in = low_in + select(1u, half, halves);
  let entry = min(row, P - 1u) * ROTATED + min(i, half - 1u);
  let cosine = angles[entry];
  let sine = SIGN * angles[entry + half];
  switch (projection) {
#repeat g PROJECTIONS
    case $gu: {
      let low = x$g[head * D + low_in];
      let high = x$g[head * D + high_in];
      y$g[to * D + low_in] = select(low, low * cosine - high * sine, rotates);
      y$g[to * D + high_in] = select(high, high * cosine + low * sine, rotates);
    }
#endrepeat
    default: {}
  }
}
