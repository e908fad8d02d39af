// y[t, h] = SCALE * W[ids[t], h]: a gather of rows. One launch a slice of W, which holds rows FIRST to FIRST + ROWS - 1: a launch writes the
// tokens whose row it holds, and the first one zeros for the others (also for an id that no slice holds).
// Buffers: 0 y [T, H], 1 ids [T] u32, 4-7 the slice [ROWS, H]. Threads: one invocation an element of y.
#include "lib/grid.wgsl"
#include "lib/weight/element.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> ids: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= T * H) {
    return;
  }
  let id = ids[i / H];
  if (id >= FIRST && id - FIRST < ROWS) {
    y[i] = SCALE * weight_at((id - FIRST) * H + i % H);
  } else if (FIRST == 0u) {
    y[i] = 0.0;
  }
}
