// Sum of squares of COUNT numbers in two launches: PARTIALS slices of x to partials (FINAL false), then the slices to stats[1] (FINAL true,
// where x is partials and COUNT their number). Buffers: 0 out, 1 x. Threads: one workgroup a slice, slices interleaved.
#include "lib/row.wgsl"
@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  var sum = 0.0;
  for (var i = group.x * WORKGROUP + local; i < COUNT; i += WORKGROUP * PARTIALS) {
    let value = x[i];
    sum += select(value * value, value, FINAL);
  }
  let total = row_sum(sum, local);
  if (local == 0u) {
    out[select(group.x, 1u, FINAL)] = total;
  }
}
