// The sum of a vec4f over all THREADS invocations of the workgroup, in a fixed order: 16 invocations add up
// every 16th value, then every invocation adds up theirs.
// Constants: THREADS, and lane_part of lib/lora/lane_sums.wgsl.
fn workgroup_sum(local: u32, value: vec4f) -> vec4f {
  workgroupBarrier();
  lane_part[local] = value;
  workgroupBarrier();
  if (local < 16u) {
    var part = value;
    for (var i = local + 16u; i < THREADS; i += 16u) {
      part += lane_part[i];
    }
    lane_part[local] = part;
  }
  workgroupBarrier();
  var total = lane_part[0];
  for (var i = 1u; i < min(16u, THREADS); i++) {
    total += lane_part[i];
  }
  return total;
}
