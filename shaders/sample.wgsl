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

var<workgroup> shares: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = group.x;
  let base = row * V;
  var largest = -3.0e38;
  for (var i = local; i < V; i += WORKGROUP) {
    largest = max(largest, capped(logits[base + i]));
  }
  largest = row_max(largest, local);
  if (options[0] == 0.0) {
    // Ids below 2^24 are whole numbers in float32.
    var first = -f32(V - 1u);
    for (var i = local; i < V; i += WORKGROUP) {
      if (capped(logits[base + i]) >= largest) {
        first = max(first, -f32(i));
      }
    }
    first = row_max(first, local);
    if (local == 0u) {
      ids[row] = u32(-first);
    }
    return;
  }
  let heat = max(options[1], 1e-6);
  var total = 0.0;
  for (var i = local; i < V; i += WORKGROUP) {
    total += exp((capped(logits[base + i]) - largest) / heat);
  }
  total = row_sum(total, local);
  // Invariant: the tokens of relative probability >= low reach top_p, those >= high do not (unless they are all equal).
  var low = 0.0;
  var high = 1.0;
  for (var round = 0u; round < select(30u, 0u, options[2] >= 1.0); round++) {
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
  // Each invocation adds up a stretch of ids; the first finds the stretch of the draw and goes through it.
  let stretch = (V + WORKGROUP - 1u) / WORKGROUP;
  var share = 0.0;
  for (var i = local * stretch; i < min((local + 1u) * stretch, V); i++) {
    let p = exp((capped(logits[base + i]) - largest) / heat);
    share += select(0.0, p, p >= low);
  }
  shares[local] = share;
  workgroupBarrier();
  if (local == 0u) {
    var mass = 0.0;
    for (var l = 0u; l < WORKGROUP; l++) {
      mass += shares[l];
    }
    let draw = random_unit(random_key(random_key(mix32(random[0]), random[1]), random[2u + row])) * mass;
    // The last stretch with a share, where rounding lets the draw pass all of them.
    var before = 0.0;
    var sum = 0.0;
    var here = 0u;
    for (var l = 0u; l < WORKGROUP; l++) {
      if (shares[l] > 0.0 && sum <= draw) {
        here = l;
        before = sum;
      }
      sum += shares[l];
    }
    var chosen = 0u;
    sum = before;
    for (var i = here * stretch; i < min((here + 1u) * stretch, V); i++) {
      let p = exp((capped(logits[base + i]) - largest) / heat);
      if (p >= low) {
        sum += p;
        chosen = i;
        if (sum > draw) {
          break;
        }
      }
    }
    ids[row] = chosen;
  }
}
