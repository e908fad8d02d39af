// attention_dkv_serial.wgsl on matrix units, with the heads split as in attention_dkv_tiled.wgsl. T is a
// multiple of 16.
// Buffers: dk, dv, k, v [T, HEADS / GROUP_SIZE D]; q, d_o [T, HEADS D]; stats [T, HEADS, 2]; document_end [T]
//   u32, which never falls along T.
// Constants: those of attention_subgroup_matrix.wgsl, and SPLIT_HEADS.
// Threads: one workgroup of 128 a block of 64 keys (x), a key head (y) and a slice of the heads (z).
#include "lib/attention/scores.wgsl"
#include "lib/attention/matrix.wgsl"
@group(0) @binding(0) var<storage, read_write> dk: array<f32>;
@group(0) @binding(1) var<storage, read_write> dv: array<f32>;
@group(0) @binding(2) var<storage, read> q: array<vec4f>;
@group(0) @binding(3) var<storage, read> k: array<vec4f>;
@group(0) @binding(4) var<storage, read> v: array<vec4f>;
@group(0) @binding(5) var<storage, read> d_o: array<vec4f>;
@group(0) @binding(6) var<storage, read> stats: array<vec2f>;
@group(0) @binding(7) var<storage, read> document_end: array<u32>;

var<workgroup> scores: array<f32, 64u * SCORE_STRIDE>;
var<workgroup> slopes: array<f32, 64u * SCORE_STRIDE>;
var<workgroup> p_tile: array<f16, 64u * HALF_STRIDE>;
var<workgroup> ds_tile: array<f16, 64u * HALF_STRIDE>;
var<workgroup> row_end: array<u32, 64>;

// The queries that see key j are those from j itself up to, but not including, this one.
fn end_of(j: u32) -> u32 {
  if (WINDOW > 0u) {
    return min(document_end[j], j + WINDOW);
  }
  return document_end[j];
}

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let key_head = group.y;
  let j0 = group.x * 64u;
  let lane = local % 32u;
  let own_row = local / 32u * 16u;
  for (var e = local; e < 64u * N; e += 128u) {
    put_stage(e / N, e % N, k[(min(j0 + e / N, T - 1u) * KEY_HEADS + key_head) * N + e % N]);
  }
  if (local < 64u) {
    row_end[local] = end_of(min(j0 + local, T - 1u));
  }
  workgroupBarrier();
#repeat k FD
  let row$k = subgroupMatrixLoad<subgroup_matrix_left<f16, 16, 16>, row_major>(
    &stage,
    own_row * STAGE_STRIDE + $ku * 16u,
    STAGE_STRIDE,
  );
#endrepeat
  workgroupBarrier();
  for (var e = local; e < 64u * N; e += 128u) {
    put_stage(e / N, e % N, v[(min(j0 + e / N, T - 1u) * KEY_HEADS + key_head) * N + e % N]);
  }
  workgroupBarrier();
#repeat k FD
  let slope$k = subgroupMatrixLoad<subgroup_matrix_left<f16, 16, 16>, row_major>(
    &stage,
    own_row * STAGE_STRIDE + $ku * 16u,
    STAGE_STRIDE,
  );
#endrepeat
#repeat d FD
  var sum_k$d = subgroup_matrix_result<f32, 16, 16>();
  var sum_v$d = subgroup_matrix_result<f32, 16, 16>();
#endrepeat
  let end = end_of(min(j0 + 64u, T) - 1u);
  let first_head = key_head * GROUP_SIZE + group.z * (GROUP_SIZE / SPLIT_HEADS);
#repeat e FD
  var first$e = q[block_vector(local + $eu * 128u, j0, HEADS, first_head)];
  var second$e = d_o[block_vector(local + $eu * 128u, j0, HEADS, first_head)];
#endrepeat
  for (var head = first_head; head < first_head + GROUP_SIZE / SPLIT_HEADS; head++) {
    for (var t0 = j0; t0 < end; t0 += 32u) {
      workgroupBarrier();
#include "lib/attention/matrix_stage_first.wgsl"
#include "lib/attention/matrix_stage_second.wgsl"
      workgroupBarrier();
      // The next block is read while this one is multiplied; after a head's last it is the next head's first.
      let is_last = t0 + 32u >= end;
      let next_t = select(t0 + 32u, j0, is_last);
      let next_head = select(head, min(head + 1u, HEADS - 1u), is_last);
#repeat e FD
      first$e = q[block_vector(local + $eu * 128u, next_t, HEADS, next_head)];
      second$e = d_o[block_vector(local + $eu * 128u, next_t, HEADS, next_head)];
#endrepeat
#include "lib/attention/matrix_scores_backward.wgsl"
      let t = t0 + lane;
      let stat = stats[min(t, T - 1u) * HEADS + head];
#repeat i 16
      {
        let row = own_row + $iu;
        let sees = t >= j0 + row && t < row_end[row];
        let score = score_of(scores[row * SCORE_STRIDE + lane]);
        let p = select(0.0, exp(score - stat.x), sees);
        p_tile[row * HALF_STRIDE + lane] = f16(p);
        ds_tile[row * HALF_STRIDE + lane] = f16(
          select(0.0, p * (slopes[row * SCORE_STRIDE + lane] - stat.y) * slope_of(score), sees),
        );
      }
#endrepeat
      workgroupBarrier();
      let p0 = subgroupMatrixLoad<subgroup_matrix_left<f16, 16, 16>, row_major>(
        &p_tile,
        own_row * HALF_STRIDE,
        HALF_STRIDE,
      );
      let p1 = subgroupMatrixLoad<subgroup_matrix_left<f16, 16, 16>, row_major>(
        &p_tile,
        own_row * HALF_STRIDE + 16u,
        HALF_STRIDE,
      );
      let ds0 = subgroupMatrixLoad<subgroup_matrix_left<f16, 16, 16>, row_major>(
        &ds_tile,
        own_row * HALF_STRIDE,
        HALF_STRIDE,
      );
      let ds1 = subgroupMatrixLoad<subgroup_matrix_left<f16, 16, 16>, row_major>(
        &ds_tile,
        own_row * HALF_STRIDE + 16u,
        HALF_STRIDE,
      );
#repeat d FD
      sum_k$d = subgroupMatrixMultiplyAccumulate(
        ds0,
        subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, row_major>(&stage, $du * 16u, STAGE_STRIDE),
        sum_k$d,
      );
      sum_k$d = subgroupMatrixMultiplyAccumulate(
        ds1,
        subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, row_major>(
          &stage,
          16u * STAGE_STRIDE + $du * 16u,
          STAGE_STRIDE,
        ),
        sum_k$d,
      );
      sum_v$d = subgroupMatrixMultiplyAccumulate(
        p0,
        subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, row_major>(
          &stage,
          32u * STAGE_STRIDE + $du * 16u,
          STAGE_STRIDE,
        ),
        sum_v$d,
      );
      sum_v$d = subgroupMatrixMultiplyAccumulate(
        p1,
        subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, row_major>(
          &stage,
          48u * STAGE_STRIDE + $du * 16u,
          STAGE_STRIDE,
        ),
        sum_v$d,
      );
#endrepeat
    }
  }
  if (j0 + own_row < T) {
#repeat d FD
    subgroupMatrixStore<row_major>(
      &dk,
      ((group.z * T + j0 + own_row) * KEY_HEADS + key_head) * D + $du * 16u,
      sum_k$d,
      KEY_HEADS * D,
    );
    subgroupMatrixStore<row_major>(
      &dv,
      ((group.z * T + j0 + own_row) * KEY_HEADS + key_head) * D + $du * 16u,
      sum_v$d,
      KEY_HEADS * D,
    );
#endrepeat
  }
}
