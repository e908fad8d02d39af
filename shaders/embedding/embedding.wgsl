// y[t, h] = SCALE W[ids[t], h], a gather of rows. A table that is larger than a binding is split by rows: a
// launch has rows FIRST to FIRST + ROWS - 1 and writes the tokens whose row is among them. The first launch
// writes zeros for all others, also for an id that no launch has.
// Buffers: y [T, H]; ids [T] u32; the rows of W [ROWS, H], any kind (lib/weight/element.wgsl).
// Constants: T, H, FIRST, ROWS, SCALE, WEIGHT_KIND.
// Threads: one invocation an element of y.
#include "lib/grid.wgsl"
#include "lib/weight/element.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> ids: array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
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
