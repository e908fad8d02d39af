// y[b, h] = x[rows[b], h]. A row at or beyond T reads the last one.
// Buffers: y [B, H]; x [T, H]; rows [B] u32.
// Constants: B, H, T.
// Threads: one invocation an element of y.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> rows: array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= B * H) {
    return;
  }
  y[i] = x[min(rows[i / H], T - 1u) * H + i % H];
}
