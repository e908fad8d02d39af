// The last step of drawing the next id of each row: in greedy mode the first of the largest logits; else a
// draw from softmax(logits / temperature), cut to the smallest set of the most likely tokens whose
// probability reaches top_p. sample_argmax.wgsl and the levels of sample_top_p.wgsl have found a narrow
// bracket of the least probability of that set, in which few stretches have tokens: it is searched here, by
// STEPS thresholds in each of ROUNDS rounds. The draw is the inverse of the sum of probabilities in the order
// of ids.
// Buffers: ids [ROWS] u32; random u32 (seed, draw, then a stream a row); logits, options, best and previous
//   of lib/sampling.
// Constants: those of lib/sampling/top_p.wgsl; STEPS, at most WORKGROUP, and ROUNDS.
// Threads: one workgroup a row. The first invocation finds the draw among the stretches, then among the PER
//   tokens of each invocation's share of one, then among these.
#include "lib/sampling/top_p.wgsl"
#include "lib/sampling/exact_sums.wgsl"
#include "lib/random.wgsl"
@group(0) @binding(0) var<storage, read_write> ids: array<u32>;
@group(0) @binding(5) var<storage, read> random: array<u32>;

const STRETCH: u32 = WORKGROUP * PER;
// shares holds those of the stretches, then those of each invocation's tokens, then those of each token.
const OWN_SHARES: u32 = PARTS;
const TOKEN_SHARES: u32 = PARTS + WORKGROUP;
var<workgroup> shares: array<f32, TOKEN_SHARES + STRETCH>;
var<workgroup> stretch: u32;
// Whether a stretch has tokens in the bracket, and what its tokens from the threshold on add up to then.
var<workgroup> in_bracket: array<bool, PARTS>;
var<workgroup> part_limbs: array<atomic<u32>, 3u * PARTS>;
var<workgroup> below: array<f32, WORKGROUP>;

struct Place {
  at: u32,
  // What is left of the draw at `at`.
  rest: f32,
}

// Where among `count` shares a draw lies. It is the last share above 0 where rounding lets the draw pass all.
fn place_of(draw: f32, first: u32, count: u32) -> Place {
  var place = Place();
  var sum = 0.0;
  for (var i = 0u; i < count; i++) {
    let share = shares[first + i];
    if (share > 0.0 && sum <= draw) {
      place = Place(i, draw - sum);
    }
    sum += share;
  }
  return place;
}

// The least probability of the top-p tokens. Leaves in shares what every stretch's tokens from it on add up
// to.
fn threshold_of(row: u32, local: u32, largest: f32) -> f32 {
  let found = bracket(row, local);
  var low = found.low;
  var width = found.step * f32(THRESHOLDS);
  var mass = row_masses[found.threshold];
  for (var part = local; part < PARTS; part += WORKGROUP) {
    let record = (row * PARTS + part) * RECORD + found.threshold;
    let above = select(0.0, previous[record + 1u], found.threshold + 1u < THRESHOLDS);
    shares[part] = previous[record];
    in_bracket[part] = options[2] < 1.0 && shares[part] != above;
#repeat l 3
    atomicStore(&part_limbs[3u * part + $lu], 0u);
#endrepeat
  }
  workgroupBarrier();
  for (var round = 0u; round < ROUNDS && options[2] < 1.0; round++) {
    let step = width * (1.0 / f32(STEPS));
    var lowest = vec3u();
    clear_buckets(local);
    workgroupBarrier();
    for (var part = 0u; part < PARTS; part++) {
      if (in_bracket[part]) {
#repeat e PER
        {
          let p = padded_probability(row, (part * PER + $eu) * WORKGROUP + local, largest);
          let bucket = bucket_of(p, low, step);
          if (p >= low && bucket == 0u) {
            lowest += limbs_of(p);
          } else if (p >= low && bucket < STEPS) {
            add_to_bucket(bucket, limbs_of(p));
          }
        }
#endrepeat
      }
    }
    add_to_bucket(0u, lowest);
    workgroupBarrier();
    below[local] = sums_before(local);
    // What all tokens from a threshold on add up to falls from one to the next.
    let reaches = local < STEPS && mass - below[local] >= options[2] * found.total;
    let last = u32(row_max(select(0.0, f32(local), reaches), local));
    low += f32(last) * step;
    mass -= below[last];
    width = step;
  }
  for (var part = 0u; part < PARTS; part++) {
    if (in_bracket[part]) {
      var sum = vec3u();
#repeat e PER
      {
        let p = padded_probability(row, (part * PER + $eu) * WORKGROUP + local, largest);
        sum += select(vec3u(), limbs_of(p), p >= low);
      }
#endrepeat
#repeat l 3
      atomicAdd(&part_limbs[3u * part + $lu], sum[$l]);
#endrepeat
    }
  }
  workgroupBarrier();
  for (var part = local; part < PARTS; part += WORKGROUP) {
    if (in_bracket[part]) {
      shares[part] = value_of(vec3u(
        atomicLoad(&part_limbs[3u * part]),
        atomicLoad(&part_limbs[3u * part + 1u]),
        atomicLoad(&part_limbs[3u * part + 2u]),
      ));
    }
  }
  workgroupBarrier();
  return low;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = group.x;
  let largest = largest_logit(row, local);
  if (options[0] == 0.0) {
    var first = -f32(V - 1u);
    for (var part = local; part < PARTS; part += WORKGROUP) {
      let own = best[row * PARTS + part];
      first = max(first, select(first, -own.y, own.x == largest));
    }
    first = row_max(first, local);
    if (local == 0u) {
      ids[row] = u32(-first);
    }
    return;
  }
  let low = threshold_of(row, local, largest);
  var rest = 0.0;
  if (local == 0u) {
    var mass = 0.0;
    for (var part = 0u; part < PARTS; part++) {
      mass += shares[part];
    }
    let place = place_of(
      random_unit(random_key(random_key(mix32(random[0]), random[1]), random[2u + row])) * mass,
      0u,
      PARTS,
    );
    stretch = place.at;
    rest = place.rest;
  }
  workgroupBarrier();
  let token = local * PER;
  var own_share = 0.0;
#repeat e PER
  let p$e = padded_probability(row, stretch * STRETCH + token + $eu, largest);
#endrepeat
#repeat e PER
  {
    let share = select(0.0, p$e, p$e >= low);
    shares[TOKEN_SHARES + token + $eu] = share;
    own_share += share;
  }
#endrepeat
  shares[OWN_SHARES + local] = own_share;
  workgroupBarrier();
  if (local == 0u) {
    let own = place_of(rest, OWN_SHARES, WORKGROUP);
    let last = place_of(own.rest, TOKEN_SHARES + own.at * PER, PER);
    ids[row] = stretch * STRETCH + own.at * PER + last.at;
  }
}
