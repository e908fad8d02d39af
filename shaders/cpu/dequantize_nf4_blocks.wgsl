// y[i] = element i of an NF4 tensor, in float32. dequantize_nf4_words.wgsl does the same on GPUs; here an
// invocation decodes a whole block and needs its scale once.
// Buffers: y [COUNT]; weight_packed and the scales of lib/weight/nf4_scales.wgsl.
// Constants: COUNT, a multiple of 4; WEIGHT_KIND.
// Threads: one invocation a block of 64.
#include "lib/grid.wgsl"
#include "lib/weight/nf4_scales.wgsl"
@group(0) @binding(4) var<storage, read> weight_packed: array<u32>;
@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let block = flat_index(group, groups, local, 64u);
  if (block * 64u >= COUNT) {
    return;
  }
  let scale = weight_scale(block);
  let words = min(8u, (COUNT - block * 64u + 7u) / 8u);
  for (var w = 0u; w < words; w++) {
    let word = weight_packed[block * 8u + w];
    for (var half_word = 0u; half_word < 2u; half_word++) {
      let i = block * 16u + w * 2u + half_word;
      if (i * 4u < COUNT) {
        let codes = (vec4u(word >> (half_word * 16u)) >> vec4u(4u, 0u, 12u, 8u)) & vec4u(15u);
        y[i] = scale * vec4f(
          weight_tables[256u + codes.x],
          weight_tables[256u + codes.y],
          weight_tables[256u + codes.z],
          weight_tables[256u + codes.w],
        );
      }
    }
  }
}
