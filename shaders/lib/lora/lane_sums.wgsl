// Sums over LANES invocations, VECTORS vec4f at a time, in a fixed order. Each invocation puts its parts at
// lane_slot(v TILES + tile, lane), all call lane_sum, and invocation i < VECTORS TILES is given the sum of
// output i. SPAN terms are added by one invocation, LANES / SPAN such sums by another.
// Constants: LANES; TILES, the outputs a vector over all invocations of a lane; THREADS = LANES TILES;
//   VECTORS; SPAN.
var<workgroup> lane_part: array<vec4f, VECTORS * THREADS>;

// Lanes are rotated by the output, so that neither writing nor reading meets one memory bank twice.
fn lane_slot(output: u32, lane: u32) -> u32 {
  return output * LANES + (lane + output) % LANES;
}

fn lane_sum(local: u32) -> vec4f {
  let output = local % (VECTORS * TILES);
  let first = (local / (VECTORS * TILES)) * SPAN;
  workgroupBarrier();
  if (first < LANES) {
    var sum = lane_part[lane_slot(output, first)];
    for (var i = 1u; i < SPAN; i++) {
      sum += lane_part[lane_slot(output, first + i)];
    }
    lane_part[lane_slot(output, first)] = sum;
  }
  workgroupBarrier();
  var total = vec4f();
  if (local < VECTORS * TILES) {
    for (var i = 0u; i < LANES; i += SPAN) {
      total += lane_part[lane_slot(output, i)];
    }
  }
  workgroupBarrier();
  return total;
}
