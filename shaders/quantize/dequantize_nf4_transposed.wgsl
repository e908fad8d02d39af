// y[k, n] = element (n, k) of an NF4 tensor [N, K], in float32 or rounded to float16 (TILE_F16): a product
// whose B runs along k gets one that runs along n, which it stores to its tile by vec4. Or of PROBLEMS
// tensors that share their buffers, side by side: the rows of tensor g are rows FIRST<g> and on of N; it
// begins at element START<g>, scale BLOCK<g> and nested scale NESTED<g> of the buffers. PROBLEMS 0: one
// tensor.
// Buffers: y [K, N]; weight_packed and the scales of lib/weight/nf4_scales.wgsl.
// Constants: N; K, a multiple of 64; TILE_F16, WEIGHT_KIND, PROBLEMS.
// Threads: one invocation a block of 64 codes of a row. Neighbours take the same block of neighbouring rows,
//   so that they write neighbouring elements. Workgroup x over rows, y over blocks.
#include "lib/tile.wgsl"
#include "lib/weight/nf4_scales.wgsl"
@group(0) @binding(4) var<storage, read> weight_packed: array<u32>;
@group(0) @binding(0) var<storage, read_write> y: array<Scalar>;
var<workgroup> code_points: array<f32, 16>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  if (local < 16u) {
    code_points[local] = weight_tables[256u + local];
  }
  workgroupBarrier();
  let n = group.x * 64u + local;
  if (n >= N) {
    return;
  }
  // Of the row's tensor: its first row, its first element, its first scale and nested scale.
  var place = vec4u();
#repeat g PROBLEMS
  if (n >= FIRST$g) {
    place = vec4u(FIRST$g, START$g, BLOCK$g, NESTED$g);
  }
#endrepeat
  let block = (n - place.x) * (K / 64u) + group.y;
  let scale = weight_scale_from(block, place.z, place.w);
  for (var w = 0u; w < 8u; w++) {
    let word = weight_packed[place.y / 8u + block * 8u + w];
    let at = (group.y * 64u + w * 8u) * N + n;
    y[at] = Scalar(scale * code_points[(word >> 4u) & 15u]);
    y[at + N] = Scalar(scale * code_points[word & 15u]);
    y[at + 2u * N] = Scalar(scale * code_points[(word >> 12u) & 15u]);
    y[at + 3u * N] = Scalar(scale * code_points[(word >> 8u) & 15u]);
    y[at + 4u * N] = Scalar(scale * code_points[(word >> 20u) & 15u]);
    y[at + 5u * N] = Scalar(scale * code_points[(word >> 16u) & 15u]);
    y[at + 6u * N] = Scalar(scale * code_points[(word >> 28u) & 15u]);
    y[at + 7u * N] = Scalar(scale * code_points[(word >> 24u) & 15u]);
  }
}
