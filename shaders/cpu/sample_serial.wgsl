// Draws the next id of each row as sample.wgsl does, in one dispatch, for CPU adapters.
// Buffers: ids [ROWS] u32; random u32 (seed, draw, then a stream a row); logits and options of
//   lib/sampling/probabilities.wgsl.
// Constants: V, SOFTCAP; ROUNDS, the halvings of the bisection.
// Threads: one invocation a row.
#include "lib/sampling/probabilities.wgsl"
#include "lib/random.wgsl"
@group(0) @binding(0) var<storage, read_write> ids: array<u32>;
@group(0) @binding(3) var<storage, read> random: array<u32>;

// The sum of the relative probabilities that are at least `least`.
fn mass_above(row: u32, largest: f32, least: f32) -> f32 {
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
  // Invariant: the tokens of relative probability >= low reach top_p, those >= high do not (unless all are
  // equal).
  var low = 0.0;
  var high = 1.0;
  if (options[2] < 1.0) {
    let needed = options[2] * mass_above(row, largest, 0.0);
    for (var round = 0u; round < ROUNDS; round++) {
      let middle = 0.5 * (low + high);
      if (mass_above(row, largest, middle) >= needed) {
        low = middle;
      } else {
        high = middle;
      }
    }
  }
  let draw = random_unit(
    random_key(random_key(mix32(random[0]), random[1]), random[2u + row]),
  ) * mass_above(row, largest, low);
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
