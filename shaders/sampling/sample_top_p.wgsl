// One level of the search for the top-p threshold (lib/sampling/top_p.wgsl). It does nothing where the choice
// is greedy.
// Buffers: records [ROWS, PARTS, THRESHOLDS + 3]; logits, options, best and previous of lib/sampling.
// Constants: those of lib/sampling/top_p.wgsl, where THRESHOLDS = WORKGROUP.
// Threads: workgroup (stretch, row). Each invocation puts PER probabilities into the buckets between the
//   thresholds, and adds up one bucket and those above it.
#include "lib/sampling/top_p.wgsl"
#include "lib/sampling/exact_sums.wgsl"
@group(0) @binding(0) var<storage, read_write> records: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  if (options[0] == 0.0) {
    return;
  }
  let row = group.y;
  let largest = largest_logit(row, local);
  let now = bracket(row, local);
  clear_buckets(local);
#repeat e PER
  let p$e = padded_probability(row, (group.x * PER + $eu) * WORKGROUP + local, largest);
#endrepeat
  // Most tokens lie below the second threshold: an invocation adds its own up first, and those past all.
  var lowest = vec3u();
  var past = vec3u();
  workgroupBarrier();
#repeat e PER
  {
    let bucket = bucket_of(p$e, now.low, now.step);
    if (bucket >= THRESHOLDS) {
      past += limbs_of(p$e);
    } else if (bucket > 0u) {
      add_to_bucket(bucket, limbs_of(p$e));
    } else if (p$e >= now.low) {
      lowest += limbs_of(p$e);
    }
  }
#endrepeat
  add_to_bucket(0u, lowest);
  add_to_bucket(THRESHOLDS - 1u, past);
  workgroupBarrier();
  let total = sums_from(local);
  let record = (row * PARTS + group.x) * RECORD;
  records[record + local] = total;
  if (local == 0u) {
    records[record + THRESHOLDS] = now.low;
    records[record + THRESHOLDS + 1u] = now.step;
    records[record + THRESHOLDS + 2u] = now.total;
  }
}
