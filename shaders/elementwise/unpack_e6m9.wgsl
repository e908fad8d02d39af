// x = what pack_e6m9.wgsl packed.
// Buffers: x [COUNT, 2] f32 x 4, packed [COUNT] u32 x 4.
// Constants: COUNT.
// Threads: one invocation eight elements.
#include "lib/grid.wgsl"
#include "lib/e6m9.wgsl"
@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> packed: array<vec4u>;

fn pair(word: u32) -> vec2f {
  return vec2f(f32_of_e6m9(word & 0xffffu), f32_of_e6m9(word >> 16u));
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
  let words = packed[i];
  x[2u * i] = vec4f(pair(words.x), pair(words.y));
  x[2u * i + 1u] = vec4f(pair(words.z), pair(words.w));
}
