// Sum of squares of COUNT numbers in two steps: PARTIALS slices of x to partials from FIRST on (FINAL false; one launch a stretch of x that one
// binding holds), then all partials to stats[1] (FINAL true and FIRST 1, where x is partials and COUNT their number), and stats[2] = 1 where
// stats[0] or stats[1] is NaN or infinite.
// Buffers: 0 out, 1 x. Threads: one workgroup a slice, slices interleaved.
#include "lib/row.wgsl"
@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;

// By its bits: an implementation may assume that no NaN occurs.
fn finite(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  var sum = 0.0;
  for (var i = group.x * WORKGROUP + local; i < COUNT; i += WORKGROUP * PARTIALS) {
    let value = x[i];
    sum += select(value * value, value, FINAL);
  }
  let total = row_sum(sum, local);
  if (local == 0u) {
    out[FIRST + group.x] = total;
    if (FINAL && !(finite(out[0]) && finite(total))) {
      out[2] = 1.0;
    }
  }
}
