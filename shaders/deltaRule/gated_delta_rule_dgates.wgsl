// The gradients of beta, and each token's own part of those of the decays:
//   dgates[t, HEADS + h] = dchange[t, h] . errors[t, h]
//   dgates[t, h] = do[t, h] . o[t, h] - gates[t, HEADS + h] dchange[t, h] . v[t, h]
// which gated_delta_rule_ddecay.wgsl sums up. The products are over a head's DV elements. Where WRITES_DV:
//   dv[t, h, j] = gates[t, HEADS + h] dchange[t, h, j]
// Buffers: dgates, gates [T, 2 HEADS]; do_, o, dchange, v, errors and where WRITES_DV dv [T, HEADS DV].
// Constants: T, HEADS, DV, WRITES_DV.
// Threads: one invocation a token and head.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> dgates: array<f32>;
@group(0) @binding(1) var<storage, read> gates: array<f32>;
@group(0) @binding(2) var<storage, read> do_: array<f32>;
@group(0) @binding(3) var<storage, read> o: array<f32>;
@group(0) @binding(4) var<storage, read> dchange: array<f32>;
@group(0) @binding(5) var<storage, read> v: array<f32>;
@group(0) @binding(6) var<storage, read> errors: array<f32>;
#if WRITES_DV
@group(0) @binding(7) var<storage, read_write> dv: array<f32>;
#endif

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= T * HEADS) {
    return;
  }
  let row = i / HEADS * 2u * HEADS + i % HEADS;
  var outputs = 0.0;
  var values = 0.0;
  var betas = 0.0;
  for (var at = i * DV; at < (i + 1u) * DV; at++) {
    outputs += do_[at] * o[at];
    values += dchange[at] * v[at];
    betas += dchange[at] * errors[at];
#if WRITES_DV
    dv[at] = gates[row + HEADS] * dchange[at];
#endif
  }
  dgates[row + HEADS] = betas;
  dgates[row] = outputs - gates[row + HEADS] * values;
}
