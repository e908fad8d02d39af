// The gradients of gated.wgsl: dgate = dy activation'(gate) up, dup = dy activation(gate).
// Buffers: dgate, dup, gate, up, dy [COUNT] elements of VECTOR_WIDTH numbers. IN_PLACE: dgate and dup hold
// gate and up before.
// Constants: COUNT; VECTOR_WIDTH, 1 or 4; IN_PLACE; ACTIVATION (lib/elementwise/activation.wgsl).
// Threads: one invocation an element.
#include "lib/grid.wgsl"
#include "lib/elementwise/activation.wgsl"
@group(0) @binding(0) var<storage, read_write> dgate: array<Element>;
@group(0) @binding(1) var<storage, read_write> dup: array<Element>;
@group(0) @binding(2) var<storage, read> dy: array<Element>;
#if IN_PLACE
#else
@group(0) @binding(3) var<storage, read> gate: array<Element>;
@group(0) @binding(4) var<storage, read> up: array<Element>;
#endif

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= COUNT) {
    return;
  }
#if IN_PLACE
  let g = dgate[i];
  let u = dup[i];
#else
  let g = gate[i];
  let u = up[i];
#endif
  dgate[i] = dy[i] * activation_slope(g) * u;
  dup[i] = dy[i] * activation(g);
}
