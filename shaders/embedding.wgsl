// y[t, h] = SCALE * W[ids[t], h]: a gather of rows.
// Buffers: 0 y [T, H], 1 ids [T] u32, 4-7 W [V, H]. An id of V or more gives a row of zeros. Threads: one invocation an element of y.
#include "lib/flat.wgsl"
#include "lib/weight_{W_KIND}.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> ids: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= T * H) {
    return;
  }
  let id = ids[i / H];
  var value = 0.0;
  if (id < V) {
    value = SCALE * weight_at(id * H + i % H);
  }
  y[i] = value;
}
