// The search that sample_top_p.wgsl and sample.wgsl share. It looks for the least relative probability, p =
// exp((z - largest) / temperature), of the most likely tokens that together reach top_p, among THRESHOLDS
// values of a bracket at once. A level writes a record for each of PARTS stretches of a row: for every j what
// the stretch's tokens of at least low + j step add up to, then low, step, and what all tokens of the row add
// up to (0 on the first level). Sums have one order for every j, so that a larger threshold never has the
// larger sum.
// Buffers: logits and options of probabilities.wgsl; best [ROWS, PARTS] of sample_argmax.wgsl; where
//   HAS_PREVIOUS, previous, the records of the level before.
// Constants: V, SOFTCAP, WORKGROUP, PER, PARTS, THRESHOLDS = WORKGROUP, HAS_PREVIOUS; UNROLLED, the records
//   that are read at once.
#include "lib/sampling/probabilities.wgsl"
#include "lib/row.wgsl"
@group(0) @binding(3) var<storage, read> best: array<vec2f>;
#if HAS_PREVIOUS
@group(0) @binding(4) var<storage, read> previous: array<f32>;
#endif

const RECORD: u32 = THRESHOLDS + 3u;
const FINER: f32 = 1.0 / f32(THRESHOLDS);
var<workgroup> row_masses: array<f32, THRESHOLDS>;

struct Bracket {
  low: f32,
  step: f32,
  total: f32,
  // The number of the threshold that `low` is among those of the level before.
  threshold: u32,
}

fn largest_logit(row: u32, local: u32) -> f32 {
  var own = -3.0e38;
  for (var part = local; part < PARTS; part += WORKGROUP) {
    own = max(own, best[row * PARTS + part].x);
  }
  return row_max(own, local);
}

// 0 past the end of the row.
fn padded_probability(row: u32, i: u32, largest: f32) -> f32 {
  return select(0.0, relative_probability(row, min(i, V - 1u), largest), i < V);
}

// The last threshold that a probability of at least `low` reaches. step is a power of two, whose inverse is
// exact by its bits: a division need not be.
fn bucket_of(p: f32, low: f32, step: f32) -> u32 {
  return u32(max(p - low, 0.0) * bitcast<f32>(0x7f000000u - bitcast<u32>(step)));
}

// Where the level before leaves the search; the whole of [0, 1] on the first level.
fn bracket(row: u32, local: u32) -> Bracket {
  var found = Bracket(0.0, FINER, 0.0, 0u);
#if HAS_PREVIOUS
  var sum = 0.0;
  for (var first = 0u; first < PARTS; first += UNROLLED) {
#repeat u UNROLLED
    let mass$u = previous[(row * PARTS + min(first + $uu, PARTS - 1u)) * RECORD + local];
#endrepeat
#repeat u UNROLLED
    sum += select(0.0, mass$u, first + $uu < PARTS);
#endrepeat
  }
  row_masses[local] = sum;
  workgroupBarrier();
  let start = row * PARTS * RECORD + THRESHOLDS;
  let total = previous[start + 2u];
  found.total = select(total, row_masses[0], total == 0.0);
  for (var half = THRESHOLDS / 2u; half > 0u && options[2] < 1.0; half >>= 1u) {
    if (row_masses[found.threshold + half] >= options[2] * found.total) {
      found.threshold += half;
    }
  }
  let step = previous[start + 1u];
  found.low = previous[start] + f32(found.threshold) * step;
  found.step = step * FINER;
#endif
  return found;
}
