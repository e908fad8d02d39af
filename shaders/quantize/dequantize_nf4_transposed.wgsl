// The other way up: y[k, n] = element (n, k) of an NF4 tensor [N, K], in float32 or rounded to float16 (TILE). K is a multiple of 64. Or of PROBLEMS tensors
// that share their buffers, side by side: of member g its rows are rows FIRST and on; it begins at element START, scale BLOCK and nested scale NESTED.
// Buffers: 0 y [K, N], 4-7 the tensor. Threads: one invocation a block of 64 codes of a row; neighbours take the same block of neighbouring rows, so
// that what they write lies side by side. Workgroup x over rows, y over blocks.
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
  // Of its member: its first row, where it begins, its first scale and nested scale.
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
