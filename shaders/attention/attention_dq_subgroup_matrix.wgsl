// attention_dq_serial.wgsl on matrix units. T is a multiple of 16.
// Buffers: dq, q, d_o [T, HEADS D]; k, v [T, HEADS / GROUP_SIZE D]; stats [T, HEADS, 2], (lse, delta);
//   document_start [T] u32, which never falls along T. Where MAKES_STATS, o and lse as in
//   attention_dq_tiled.wgsl.
// Constants: those of attention_subgroup_matrix.wgsl, and MAKES_STATS.
// Threads: one workgroup of 128 a block of 64 queries (x, the last first) and a head (y).
#include "lib/attention/scores.wgsl"
#include "lib/attention/matrix.wgsl"
@group(0) @binding(0) var<storage, read_write> dq: array<f32>;
@group(0) @binding(1) var<storage, read> q: array<vec4f>;
@group(0) @binding(2) var<storage, read> k: array<vec4f>;
@group(0) @binding(3) var<storage, read> v: array<vec4f>;
@group(0) @binding(4) var<storage, read> d_o: array<vec4f>;
#if MAKES_STATS
@group(0) @binding(5) var<storage, read_write> stats: array<vec2f>;
@group(0) @binding(7) var<storage, read> o: array<vec4f>;
@group(0) @binding(8) var<storage, read> lse: array<f32>;
#else
@group(0) @binding(5) var<storage, read> stats: array<vec2f>;
#endif
@group(0) @binding(6) var<storage, read> document_start: array<u32>;

var<workgroup> scores: array<f32, 64u * SCORE_STRIDE>;
var<workgroup> slopes: array<f32, 64u * SCORE_STRIDE>;
var<workgroup> ds_tile: array<f16, 64u * HALF_STRIDE>;
var<workgroup> row_first: array<u32, 64>;
var<workgroup> row_stats: array<vec2f, 64>;

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let head = group.y;
  let key_head = head / GROUP_SIZE;
  let q0 = ((T - 1u) / 64u - group.x) * 64u;
  let lane = local % 32u;
  let own_row = local / 32u * 16u;
  for (var e = local; e < 64u * N; e += 128u) {
    put_stage(e / N, e % N, q[(min(q0 + e / N, T - 1u) * HEADS + head) * N + e % N]);
  }
  let own = min(q0 + local % 64u, T - 1u);
  let query = own * HEADS + head;
#if MAKES_STATS
  var delta = 0.0;
  for (var i = 0u; i < N; i++) {
    delta += dot(o[query * N + i], d_o[query * N + i]);
  }
  let own_stats = vec2f(lse[query], delta);
  if (local < 64u && q0 + local < T) {
    stats[query] = own_stats;
  }
#else
  let own_stats = stats[query];
#endif
  if (local < 64u) {
    row_first[local] = first_key(own, document_start[own]);
    row_stats[local] = own_stats;
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
    put_stage(e / N, e % N, d_o[(min(q0 + e / N, T - 1u) * HEADS + head) * N + e % N]);
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
  var sum$d = subgroup_matrix_result<f32, 16, 16>();
#endrepeat
  let last = min(q0 + 64u, T);
  let begin = first_key(q0, document_start[q0]);
#repeat e FD
  var first$e = k[block_vector(local + $eu * 128u, begin, KEY_HEADS, key_head)];
  var second$e = v[block_vector(local + $eu * 128u, begin, KEY_HEADS, key_head)];
#endrepeat
  for (var j0 = begin; j0 < last; j0 += 32u) {
    workgroupBarrier();
#include "lib/attention/matrix_stage_first.wgsl"
#include "lib/attention/matrix_stage_second.wgsl"
    workgroupBarrier();
    // The next block is read while this one is multiplied.
#repeat e FD
    first$e = k[block_vector(local + $eu * 128u, j0 + 32u, KEY_HEADS, key_head)];
    second$e = v[block_vector(local + $eu * 128u, j0 + 32u, KEY_HEADS, key_head)];
#endrepeat
#include "lib/attention/matrix_scores_backward.wgsl"
    let j = j0 + lane;
#repeat i 16
    {
      let row = own_row + $iu;
      let seen = j >= row_first[row] && j <= q0 + row;
      let score = score_of(scores[row * SCORE_STRIDE + lane]);
      let ds = exp(score - row_stats[row].x)
        * (slopes[row * SCORE_STRIDE + lane] - row_stats[row].y)
        * slope_of(score);
      ds_tile[row * HALF_STRIDE + lane] = f16(select(0.0, ds, seen));
    }
#endrepeat
    workgroupBarrier();
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
    sum$d = subgroupMatrixMultiplyAccumulate(
      ds0,
      subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, row_major>(&stage, $du * 16u, STAGE_STRIDE),
      sum$d,
    );
    sum$d = subgroupMatrixMultiplyAccumulate(
      ds1,
      subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, row_major>(
        &stage,
        16u * STAGE_STRIDE + $du * 16u,
        STAGE_STRIDE,
      ),
      sum$d,
    );
#endrepeat
  }
  if (q0 + own_row < T) {
#repeat d FD
    subgroupMatrixStore<row_major>(&dq, ((q0 + own_row) * HEADS + head) * D + $du * 16u, sum$d, HEADS * D);
#endrepeat
  }
}
