// What the attention kernels on matrix units share. 128 invocations are four subgroups of 32, and a subgroup
// owns 16 of a block's 64 rows. Operands are rounded to float16. A block of 64 x 32 scores goes through
// workgroup memory as float32, a column a lane. D is a multiple of 16, FD = D / 16.
enable f16;
enable subgroups;
#include "lib/matrix_extension.wgsl"
const N: u32 = D / 4u;
const STAGE_STRIDE: u32 = D + 8u;
const SCORE_STRIDE: u32 = 36u;
const HALF_STRIDE: u32 = 40u;
const KEY_HEADS: u32 = HEADS / GROUP_SIZE;
// Operands in float16: one of 64 rows, or two of 32, rows 0 to 31 and 32 to 63.
var<workgroup> stage: array<f16, 64u * STAGE_STRIDE>;

fn put_stage(row: u32, column: u32, value: vec4f) {
  let half = vec4<f16>(value);
  let i = row * STAGE_STRIDE + column * 4u;
  stage[i] = half.x;
  stage[i + 1u] = half.y;
  stage[i + 2u] = half.z;
  stage[i + 3u] = half.w;
}

// Where the e-th vec4 of 32 rows from `row` on lies in an array of `heads` heads a row. Rows beyond the last
// repeat it.
fn block_vector(e: u32, row: u32, heads: u32, head: u32) -> u32 {
  return (min(row + e / N, T - 1u) * heads + head) * N + e % N;
}

fn score_of(product: f32) -> f32 {
  return attention_score(vec4f(product)).x;
}

fn slope_of(score: f32) -> f32 {
  return attention_slope(vec4f(score)).x;
}
