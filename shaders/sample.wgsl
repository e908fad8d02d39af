// ids[b]: greedy (mode 0) the first largest logit; else from softmax(logits / temperature) cut to the smallest set of likeliest tokens whose
// probability reaches top_p. The set is found by bisection on its least probability, the draw is the inverse of its sum in id order.
// Buffers: 0 ids [ROWS] u32, 1 logits [ROWS, V], 2 options f32 (mode, temperature, top_p), 3 random u32 (seed, draw, then a stream a row).
// Threads: one workgroup a row.
#include "lib/row.wgsl"
#include "lib/random.wgsl"
@group(0) @binding(0) var<storage, read_write> ids: array<u32>;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> options: array<f32>;
@group(0) @binding(3) var<storage, read> random: array<u32>;

fn capped(logit: f32) -> f32 {
  if (SOFTCAP > 0.0) {
    return SOFTCAP * tanh(logit / SOFTCAP);
  }
  return logit;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = group.x;
  let base = row * V;
  var largest = -3.0e38;
  for (var i = local; i < V; i += WORKGROUP) {
    largest = max(largest, capped(logits[base + i]));
  }
  largest = row_max(largest, local);
  let heat = max(options[1], 1e-6);
  var total = 0.0;
  for (var i = local; i < V; i += WORKGROUP) {
    total += exp((capped(logits[base + i]) - largest) / heat);
  }
  total = row_sum(total, local);
  // Invariant: the tokens of relative probability >= low reach top_p, those >= high do not (unless they are all equal).
  var low = 0.0;
  var high = 1.0;
  for (var round = 0u; round < 30u; round++) {
    let middle = 0.5 * (low + high);
    var kept = 0.0;
    for (var i = local; i < V; i += WORKGROUP) {
      let p = exp((capped(logits[base + i]) - largest) / heat);
      kept += select(0.0, p, p >= middle);
    }
    if (row_sum(kept, local) >= options[2] * total) {
      low = middle;
    } else {
      high = middle;
    }
  }
  var mass = 0.0;
  for (var i = local; i < V; i += WORKGROUP) {
    let p = exp((capped(logits[base + i]) - largest) / heat);
    mass += select(0.0, p, p >= low);
  }
  mass = row_sum(mass, local);
  if (local == 0u) {
    var chosen = 0u;
    if (options[0] == 0.0) {
      while (chosen < V - 1u && capped(logits[base + chosen]) < largest) {
        chosen++;
      }
    } else {
      let draw = random_unit(random_key(random_key(mix32(random[0]), random[1]), random[2u + row])) * mass;
      var sum = 0.0;
      for (var i = 0u; i < V; i++) {
        let p = exp((capped(logits[base + i]) - largest) / heat);
        if (p >= low) {
          sum += p;
          chosen = i;
          if (sum > draw) {
            break;
          }
        }
      }
    }
    ids[row] = chosen;
  }
}
