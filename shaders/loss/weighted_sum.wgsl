// stats[0] += sum_t weights[t] loss[t].
// Buffers: stats, read and written; loss, weights [T].
// Constants: T, WORKGROUP.
// Threads: one workgroup in all, so that the sum has one order.
#include "lib/row.wgsl"
@group(0) @binding(0) var<storage, read_write> stats: array<f32>;
@group(0) @binding(1) var<storage, read> loss: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32) {
  var sum = 0.0;
  for (var t = local; t < T; t += WORKGROUP) {
    sum += weights[t] * loss[t];
  }
  let total = row_sum(sum, local);
  if (local == 0u) {
    stats[0] += total;
  }
}
