// y = activation(gate) up, element by element: SwiGLU with SiLU, GeGLU with GELU.
// Buffers: y, gate, up [COUNT] elements of VECTOR_WIDTH numbers.
// Constants: COUNT; VECTOR_WIDTH, 1 or 4; ACTIVATION (lib/elementwise/activation.wgsl).
// Threads: one invocation an element.
#include "lib/grid.wgsl"
#include "lib/elementwise/activation.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<Element>;
@group(0) @binding(1) var<storage, read> gate: array<Element>;
@group(0) @binding(2) var<storage, read> up: array<Element>;

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
  y[i] = activation(gate[i]) * up[i];
}
