// One level of the bisection for the top-p threshold (lib/sampling/top_p.wgsl). It does nothing where the
// choice is greedy.
// Buffers: records [ROWS, PARTS, THRESHOLDS + 3]; logits, options, best and previous of lib/sampling.
// Constants: those of lib/sampling/top_p.wgsl; PER_VECTORS = PER / 4.
// Threads: workgroup (stretch, row). The stretch's probabilities are made once; then THRESHOLDS invocations,
//   LANES times, each sum what is at or above their threshold in a share of them.
#include "lib/sampling/top_p.wgsl"
@group(0) @binding(0) var<storage, read_write> records: array<f32>;

const FOURS: u32 = WORKGROUP * PER / 4u;
var<workgroup> likely: array<vec4f, FOURS>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  if (options[0] == 0.0) {
    return;
  }
  let row = group.y;
  let largest = largest_logit(row, local);
  let now = bracket(row, local);
#repeat f PER_VECTORS
  {
    let four = local + $fu * WORKGROUP;
    let i = (group.x * FOURS + four) * 4u;
    likely[four] = vec4f(
      padded_probability(row, i, largest),
      padded_probability(row, i + 1u, largest),
      padded_probability(row, i + 2u, largest),
      padded_probability(row, i + 3u, largest),
    );
  }
#endrepeat
  workgroupBarrier();
  let least = now.low + f32(local % THRESHOLDS) * now.step;
  let first = local / THRESHOLDS * (FOURS / LANES);
  var sum = vec4f();
  for (var i = 0u; i < FOURS / LANES; i++) {
    let p = likely[first + i];
    sum += select(vec4f(), p, p >= vec4f(least));
  }
  let total = lane_sum(sum.x + sum.y + sum.z + sum.w, local);
  let record = (row * PARTS + group.x) * RECORD;
  if (local < THRESHOLDS) {
    records[record + local] = total;
  }
  if (local == 0u) {
    records[record + THRESHOLDS] = now.low;
    records[record + THRESHOLDS + 1u] = now.step;
    records[record + THRESHOLDS + 2u] = now.total;
  }
}
