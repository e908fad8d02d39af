// The gradient of head_gate.wgsl's gates: dgate[h] = s (1 - s) sum_i x[h D + i] dy[h D + i], with s =
// sigmoid(gate[h]).
// Buffers: dgate, gate [COUNT]; x, dy [COUNT D].
// Constants: COUNT, the number of gates; D, the elements of a head.
// Threads: one invocation a gate.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> dgate: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> gate: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let h = flat_index(group, groups, local, 64u);
  if (h >= COUNT) {
    return;
  }
  var sum = 0.0;
  for (var i = h * D; i < (h + 1u) * D; i++) {
    sum += x[i] * dy[i];
  }
  let s = 1.0 / (1.0 + exp(-gate[h]));
  dgate[h] = s * (1.0 - s) * sum;
}
