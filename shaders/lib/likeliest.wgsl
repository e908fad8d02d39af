// What sample_kept.wgsl and sample.wgsl share: bisection for the least relative probability, p = exp((z - largest) / temperature), of the likeliest tokens
// that together reach top_p, THRESHOLDS - 1 middles at once. A level writes, for each of PARTS stretches of a row, what its tokens of at least low + j step
// add up to for every j, then low, step and what all tokens of the row add up to (0 on the first level). Sums have one order for every j, so that a larger
// threshold never has the larger sum.
// Buffers: 1 and 2 in lib/probabilities.wgsl, 3 best [ROWS, PARTS] of sample_largest.wgsl, 4 the level before, where there is one (LATER).
#include "lib/probabilities.wgsl"
#include "lib/row.wgsl"
@group(0) @binding(3) var<storage, read> best: array<vec2f>;
#repeat l LATER
@group(0) @binding(4) var<storage, read> before: array<f32>;
#end

const RECORD: u32 = THRESHOLDS + 3u;
const FINER: f32 = 1.0 / f32(THRESHOLDS);
const LANES: u32 = WORKGROUP / THRESHOLDS;
var<workgroup> lane_sums: array<f32, WORKGROUP>;
var<workgroup> kept_by_all: array<f32, THRESHOLDS>;

struct Bracket {
  low: f32,
  step: f32,
  total: f32,
  // Where the level before found `low`.
  threshold: u32,
}

fn largest_logit(row: u32, local: u32) -> f32 {
  var own = -3.0e38;
  for (var part = local; part < PARTS; part += WORKGROUP) {
    own = max(own, best[row * PARTS + part].x);
  }
  return row_max(own, local);
}

// Past the end of the row 0.
fn padded_probability(row: u32, i: u32, largest: f32) -> f32 {
  return select(0.0, relative_probability(row, min(i, V - 1u), largest), i < V);
}

// Over the lanes of this invocation's threshold.
fn lane_sum(value: f32, local: u32) -> f32 {
  lane_sums[local] = value;
  workgroupBarrier();
  var sum = 0.0;
  for (var lane = 0u; lane < LANES; lane++) {
    sum += lane_sums[lane * THRESHOLDS + local % THRESHOLDS];
  }
  return sum;
}

// Where the level before leaves the bisection.
fn bracket(row: u32, local: u32) -> Bracket {
  var found = Bracket(0.0, FINER, 0.0, 0u);
#repeat l LATER
  let threshold = local % THRESHOLDS;
  var sum = 0.0;
  for (var first = local / THRESHOLDS; first < PARTS; first += LANES * UNROLLED) {
#repeat u UNROLLED
    let part$u = first + $uu * LANES;
    let kept$u = before[(row * PARTS + min(part$u, PARTS - 1u)) * RECORD + threshold];
#end
#repeat u UNROLLED
    sum += select(0.0, kept$u, part$u < PARTS);
#end
  }
  sum = lane_sum(sum, local);
  if (local < THRESHOLDS) {
    kept_by_all[local] = sum;
  }
  workgroupBarrier();
  let start = row * PARTS * RECORD + THRESHOLDS;
  let total = before[start + 2u];
  found.total = select(total, kept_by_all[0], total == 0.0);
  for (var half = THRESHOLDS / 2u; half > 0u && options[2] < 1.0; half >>= 1u) {
    if (kept_by_all[found.threshold + half] >= options[2] * found.total) {
      found.threshold += half;
    }
  }
  let step = before[start + 1u];
  found.low = before[start] + f32(found.threshold) * step;
  found.step = step * FINER;
#end
  return found;
}
