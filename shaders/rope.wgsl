// Rotary embedding, halves rotated (the Llama layout), of the first ROTATED elements of each head: for i < R = ROTATED/2, p = rows[t], s = SIGN:
//   y[i] = x[i] cos[p, i] - s x[i + R] sin[p, i],  y[i + R] = x[i + R] cos[p, i] + s x[i] sin[p, i];  y = x from ROTATED to D
// SIGN -1 is the inverse rotation, which is the gradient. MEMBERS values by the same rows: of member g, HEADS heads, after FIRST heads of those before it.
// Buffers: 0 cos [P, R], 1 sin [P, R], 2 rows [T] u32 (< P), 10, 11, ... x_g [T, HEADS D], 20, 21, ... y_g. Threads: one invocation a pair.
#include "lib/flat.wgsl"
@group(0) @binding(0) var<storage, read> cos_table: array<f32>;
@group(0) @binding(1) var<storage, read> sin_table: array<f32>;
@group(0) @binding(2) var<storage, read> rows: array<u32>;
#repeat g MEMBERS
@group(0) @binding(1$g) var<storage, read> x$g: array<f32>;
@group(0) @binding(2$g) var<storage, read_write> y$g: array<f32>;
#end

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let pair = flat_index(group, groups, local, 64u);
  var member = MEMBERS;
  var own = 0u;
  var heads = 1u;
#repeat g MEMBERS
  if (pair >= T * FIRST$g * (D / 2u) && pair < T * (FIRST$g + HEADS$g) * (D / 2u)) {
    member = $gu;
    own = pair - T * FIRST$g * (D / 2u);
    heads = HEADS$g;
  }
#end
  let head = own / (D / 2u);
  let i = own % (D / 2u);
  let half = ROTATED / 2u;
  let rotates = i < half;
  let low_at = head * D + select(2u * i, i, rotates);
  let high_at = low_at + select(1u, half, rotates);
  let entry = min(rows[head / heads], P - 1u) * half + min(i, half - 1u);
  let cosine = cos_table[entry];
  let sine = SIGN * sin_table[entry];
  switch (member) {
#repeat g MEMBERS
    case $gu: {
      let low = x$g[low_at];
      let high = x$g[high_at];
      y$g[low_at] = select(low, low * cosine - high * sine, rotates);
      y$g[high_at] = select(high, high * cosine + low * sine, rotates);
    }
#end
    default: {}
  }
}
