// The first step of drawing the next id: of each stretch of WORKGROUP PER logits of a row, the largest and
// its first id. sample_top_p.wgsl and sample.wgsl follow.
// Buffers: best [ROWS, PARTS] (logit, id); logits [ROWS, V].
// Constants: V, SOFTCAP, WORKGROUP, PER (logits an invocation), PARTS (stretches of a row).
// Threads: workgroup (stretch, row); an invocation takes every WORKGROUP-th logit of the stretch.
#include "lib/softcap.wgsl"
#include "lib/row.wgsl"
@group(0) @binding(0) var<storage, read_write> best: array<vec2f>;
@group(0) @binding(1) var<storage, read> logits: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
#repeat e PER
  let id$e = min((group.x * PER + $eu) * WORKGROUP + local, V - 1u);
  let logit$e = capped(logits[group.y * V + id$e]);
#endrepeat
  var own = -3.0e38;
  var id = V - 1u;
#repeat e PER
  if (logit$e > own) {
    own = logit$e;
    id = id$e;
  }
#endrepeat
  let largest = row_max(own, local);
  // Ids below 2^24 are whole numbers in float32.
  let first = -row_max(select(-f32(V - 1u), -f32(id), own == largest), local);
  if (local == 0u) {
    best[group.y * PARTS + group.x] = vec2f(largest, first);
  }
}
