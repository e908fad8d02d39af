// y[i] = element i of a weight in GGUF blocks, in float32: ahead of a product, as the kernels that multiply
// know no blocks.
// Buffers: y [COUNT]; weight_data (lib/weight/gguf_blocks.wgsl).
// Constants: COUNT, WEIGHT_KIND.
// Threads: one invocation an element.
#include "lib/grid.wgsl"
#include "lib/weight/element.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
  if (i < COUNT) {
    y[i] = weight_at(i);
  }
}
