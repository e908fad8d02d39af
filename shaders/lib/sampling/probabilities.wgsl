// What every kernel that draws from logits [ROWS, V] reads, and the probability of an id relative to that of
// the most likely one.
// Buffers: logits [ROWS, V]; options (mode, temperature, top_p).
#include "lib/softcap.wgsl"
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> options: array<f32>;

fn relative_probability(row: u32, i: u32, largest: f32) -> f32 {
  return exp((capped(logits[row * V + i]) - largest) / max(options[1], 1e-6));
}
