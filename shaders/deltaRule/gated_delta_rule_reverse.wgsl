// The gated delta rule backwards (gated_delta_rule.wgsl). For each column j of the state's gradient g:
//   g = g + do[t, h, j] q[t];  dchange[t, h, j] = k[t] . g;  dv[t, h, j] = gates[t, HEADS + h] dchange[t, h,
//     j];
//   g = exp(gates[t, h]) (g - dv[t, h, j] k[t])
// A document ends with g = 0. dstates holds the g with which the last token of each chunk of CHUNK tokens
// begins.
// Buffers: dv, dchange, do_ [T, HEADS DV]; q, k [T, HEADS / GROUP DK]; gates [T, 2 HEADS]; document_end [T]
//   u32; dstates [CHUNKS, HEADS, DV, DK].
// Constants: T, HEADS, GROUP, DK, DV, CHUNK, CHUNKS.
// Threads: one invocation a column and chunk, which computes the documents that end in the chunk.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> dv: array<f32>;
@group(0) @binding(1) var<storage, read_write> dchange: array<f32>;
@group(0) @binding(2) var<storage, read_write> dstates: array<f32>;
@group(0) @binding(3) var<storage, read> do_: array<f32>;
@group(0) @binding(4) var<storage, read> q: array<f32>;
@group(0) @binding(5) var<storage, read> k: array<f32>;
@group(0) @binding(6) var<storage, read> gates: array<f32>;
@group(0) @binding(7) var<storage, read> document_end: array<u32>;

fn is_last(t: u32) -> bool {
  return min(document_end[t], T) == t + 1u;
}

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
  let begin = i / (HEADS * DV) * CHUNK;
  // One more than the token, so that the loops end at 0.
  var after = min(T, begin + CHUNK);
  while (after > begin && !is_last(after - 1u)) {
    after--;
  }
  if (after == begin) {
    return;
  }
  var g = array<f32, DK>();
  while (after > 0u && (after > begin || !is_last(after - 1u))) {
    let t = after - 1u;
    if (is_last(t)) {
      for (var n = 0u; n < DK; n++) {
        g[n] = 0.0;
      }
    }
    if (after % CHUNK == 0u || after == T) {
      for (var n = 0u; n < DK; n++) {
        dstates[(t / CHUNK * HEADS * DV + column) * DK + n] = g[n];
      }
    }
    let row = (t * (HEADS / GROUP) + head / GROUP) * DK;
    let slope = do_[t * HEADS * DV + column];
    var sum = 0.0;
    for (var n = 0u; n < DK; n++) {
      g[n] += slope * q[row + n];
      sum += g[n] * k[row + n];
    }
    let decay = exp(gates[t * 2u * HEADS + head]);
    let value = gates[t * 2u * HEADS + HEADS + head] * sum;
    for (var n = 0u; n < DK; n++) {
      g[n] = decay * (g[n] - value * k[row + n]);
    }
    dchange[t * HEADS * DV + column] = sum;
    dv[t * HEADS * DV + column] = value;
    after--;
  }
}
