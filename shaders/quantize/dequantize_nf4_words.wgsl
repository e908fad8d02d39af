// y[i] = element i of an NF4 tensor, in float32 or rounded to float16 (TILE_F16). Or of PROBLEMS tensors that
// share their buffers, end to end: the elements of tensor g go to FIRST<g> and on; it begins at element
// START<g>, scale BLOCK<g> and nested scale NESTED<g> of the buffers. PROBLEMS 0: one tensor that begins its
// buffers.
// Buffers: y [COUNT]; weight_packed and the scales of lib/weight/nf4_scales.wgsl.
// Constants: COUNT, a multiple of 8; TILE_F16, WEIGHT_KIND, PROBLEMS.
// Threads: one invocation a word of eight codes.
#include "lib/tile.wgsl"
#include "lib/grid.wgsl"
#include "lib/weight/nf4_scales.wgsl"
@group(0) @binding(4) var<storage, read> weight_packed: array<u32>;
@group(0) @binding(0) var<storage, read_write> y: array<Tile>;
var<workgroup> code_points: array<f32, 16>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  if (local < 16u) {
    code_points[local] = weight_tables[256u + local];
  }
  workgroupBarrier();
  let i = flat_index(group, groups, local, 64u);
  if (i >= COUNT / 8u) {
    return;
  }
  // Of the word's tensor: where it goes, its first element, its first scale and nested scale.
  var place = vec4u();
#repeat g PROBLEMS
  if (i >= FIRST$g / 8u) {
    place = vec4u(FIRST$g, START$g, BLOCK$g, NESTED$g);
  }
#endrepeat
  let own = i - place.x / 8u;
  let word = weight_packed[place.y / 8u + own];
  let scale = weight_scale_from(own >> 3u, place.z, place.w);
  let low = (vec4u(word) >> vec4u(4u, 0u, 12u, 8u)) & vec4u(15u);
  let high = (vec4u(word) >> vec4u(20u, 16u, 28u, 24u)) & vec4u(15u);
  y[2u * i] = Tile(
    scale * vec4f(code_points[low.x], code_points[low.y], code_points[low.z], code_points[low.w]),
  );
  y[2u * i + 1u] = Tile(
    scale * vec4f(code_points[high.x], code_points[high.y], code_points[high.z], code_points[high.w]),
  );
}
