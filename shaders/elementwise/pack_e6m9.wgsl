// packed = x in 16 bits an element (lib/e6m9.wgsl).
// Buffers: packed [COUNT] u32 x 4, x [COUNT, 2] f32 x 4.
// Constants: COUNT.
// Threads: one invocation eight elements.
#include "lib/grid.wgsl"
#include "lib/e6m9.wgsl"
@group(0) @binding(0) var<storage, read_write> packed: array<vec4u>;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;

fn pair(a: f32, b: f32) -> u32 {
  return e6m9_of(a) | (e6m9_of(b) << 16u);
}

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
  let a = x[2u * i];
  let b = x[2u * i + 1u];
  packed[i] = vec4u(pair(a.x, a.y), pair(a.z, a.w), pair(b.x, b.y), pair(b.z, b.w));
}
