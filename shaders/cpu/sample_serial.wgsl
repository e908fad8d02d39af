// sample.wgsl by one invocation a row, for CPU adapters.
// Buffers: 0 ids [ROWS] u32, 1 and 2 in lib/probabilities.wgsl, 3 random u32 (seed, draw, then a stream a row).
#include "lib/sampling/probabilities.wgsl"
#include "lib/random.wgsl"
@group(0) @binding(0) var<storage, read_write> ids: array<u32>;
@group(0) @binding(3) var<storage, read> random: array<u32>;

// What the tokens of at least this probability add up to.
fn kept(row: u32, largest: f32, least: f32) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < V; i++) {
    let p = relative_probability(row, i, largest);
    sum += select(0.0, p, p >= least);
  }
  return sum;
}

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3u) {
  let row = group.x;
  var largest = -3.0e38;
  var id = V - 1u;
  for (var i = 0u; i < V; i++) {
    let logit = capped(logits[row * V + i]);
    if (logit > largest) {
      largest = logit;
      id = i;
    }
  }
  if (options[0] == 0.0) {
    ids[row] = id;
    return;
  }
  // Invariant: the tokens of relative probability >= low reach top_p, those >= high do not (unless they are all equal).
  var low = 0.0;
  var high = 1.0;
  if (options[2] < 1.0) {
    let needed = options[2] * kept(row, largest, 0.0);
    for (var round = 0u; round < ROUNDS; round++) {
      let middle = 0.5 * (low + high);
      if (kept(row, largest, middle) >= needed) {
        low = middle;
      } else {
        high = middle;
      }
    }
  }
  let draw = random_unit(random_key(random_key(mix32(random[0]), random[1]), random[2u + row])) * kept(row, largest, low);
  var sum = 0.0;
  for (var i = 0u; i < V; i++) {
    let p = relative_probability(row, i, largest);
    if (p >= low) {
      sum += p;
      id = i;
      if (sum > draw) {
        break;
      }
    }
  }
  ids[row] = id;
}
