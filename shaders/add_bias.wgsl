// y[t, n] += bias[n], in place. Buffers: 0 y [ROWS, WIDTH], 4-7 bias [WIDTH]. Threads: one invocation an element.
#include "lib/flat.wgsl"
#include "lib/weight_{W_KIND}.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= ROWS * WIDTH) {
    return;
  }
  y[i] += weight_at(i % WIDTH);
}
