// The last step of drawing the next id of each row: in greedy mode the first of the largest logits; else a
// draw from softmax(logits / temperature), cut to the smallest set of the most likely tokens whose
// probability reaches top_p. sample_argmax.wgsl and the levels of sample_top_p.wgsl have found the least
// probability of that set; the draw is the inverse of the sum of probabilities in the order of ids.
// Buffers: ids [ROWS] u32; random u32 (seed, draw, then a stream a row); logits, options, best and previous
//   of lib/sampling.
// Constants: those of lib/sampling/top_p.wgsl.
// Threads: one workgroup a row. The first invocation finds the draw among the stretches, then among the PER
//   tokens of each invocation's share of one, then among these.
#include "lib/sampling/top_p.wgsl"
#include "lib/random.wgsl"
@group(0) @binding(0) var<storage, read_write> ids: array<u32>;
@group(0) @binding(5) var<storage, read> random: array<u32>;

const STRETCH: u32 = WORKGROUP * PER;
// shares holds those of the stretches, then those of each invocation's tokens, then those of each token.
const OWN_SHARES: u32 = PARTS;
const TOKEN_SHARES: u32 = PARTS + WORKGROUP;
var<workgroup> shares: array<f32, TOKEN_SHARES + STRETCH>;
var<workgroup> stretch: u32;

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
  let found = bracket(row, local);
  for (var part = local; part < PARTS; part += WORKGROUP) {
    shares[part] = previous[(row * PARTS + part) * RECORD + found.threshold];
  }
  workgroupBarrier();
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
    let share = select(0.0, p$e, p$e >= found.low);
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
