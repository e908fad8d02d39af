// attention_serial.wgsl on matrix units, in two sweeps over the keys: the first makes lse, the second sums
// exp(score - lse) v, so that no sum is ever rescaled. T is a multiple of 16.
// Buffers: o, q [T, HEADS D]; lse [T, HEADS]; k, v [T, HEADS / GROUP_SIZE D]; document_start [T] u32, which
//   never falls along T.
// Constants: those of attention_serial.wgsl but VECTOR_WIDTH; FD = D / 16.
// Threads: one workgroup of 128 a block of 64 queries (x, the last first) and a head (y).
#include "lib/attention/scores.wgsl"
#include "lib/attention/matrix.wgsl"
@group(0) @binding(0) var<storage, read_write> o: array<f32>;
@group(0) @binding(1) var<storage, read_write> lse: array<f32>;
@group(0) @binding(2) var<storage, read> q: array<vec4f>;
@group(0) @binding(3) var<storage, read> k: array<vec4f>;
@group(0) @binding(4) var<storage, read> v: array<vec4f>;
@group(0) @binding(5) var<storage, read> document_start: array<u32>;

var<workgroup> scores: array<f32, 64u * SCORE_STRIDE>;
var<workgroup> p_tile: array<f16, 64u * HALF_STRIDE>;
var<workgroup> row_first: array<u32, 64>;

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
  if (local < 64u) {
    let t = min(q0 + local, T - 1u);
    row_first[local] = first_key(t, document_start[t]);
  }
  workgroupBarrier();
#repeat k FD
  let query$k = subgroupMatrixLoad<subgroup_matrix_left<f16, 16, 16>, row_major>(
    &stage,
    own_row * STAGE_STRIDE + $ku * 16u,
    STAGE_STRIDE,
  );
#endrepeat
  let begin = first_key(q0, document_start[q0]);
  let last = min(q0 + 64u, T);
#repeat i 16
  var largest$i = -3.0e38;
  var total$i = 0.0;
#endrepeat
#repeat e FD
  var first$e = k[block_vector(local + $eu * 128u, begin, KEY_HEADS, key_head)];
#endrepeat
  for (var j0 = begin; j0 < last; j0 += 32u) {
    workgroupBarrier();
#include "lib/attention/matrix_stage_first.wgsl"
    workgroupBarrier();
    // The next block is read while this one is multiplied.
#repeat e FD
    first$e = k[block_vector(local + $eu * 128u, j0 + 32u, KEY_HEADS, key_head)];
#endrepeat
#include "lib/attention/matrix_scores.wgsl"
    let j = j0 + lane;
#repeat i 16
    {
      let row = own_row + $iu;
      let seen = j >= row_first[row] && j <= q0 + row;
      let score = select(-3.0e38, score_of(scores[row * SCORE_STRIDE + lane]), seen);
      let shrink = exp(-abs(score - largest$i));
      if (score > largest$i) {
        total$i = total$i * shrink + 1.0;
        largest$i = score;
      } else if (seen) {
        total$i += shrink;
      }
    }
#endrepeat
  }
#repeat i 16
  let most$i = subgroupMax(largest$i);
  let lse$i = most$i + log(subgroupAdd(total$i * exp(largest$i - most$i)));
  if (lane == 0u && q0 + own_row + $iu < T) {
    lse[(q0 + own_row + $iu) * HEADS + head] = lse$i;
  }
#endrepeat
#repeat d FD
  var sum$d = subgroup_matrix_result<f32, 16, 16>();
#endrepeat
#repeat e FD
  first$e = k[block_vector(local + $eu * 128u, begin, KEY_HEADS, key_head)];
  var second$e = v[block_vector(local + $eu * 128u, begin, KEY_HEADS, key_head)];
#endrepeat
  for (var j0 = begin; j0 < last; j0 += 32u) {
    workgroupBarrier();
#include "lib/attention/matrix_stage_first.wgsl"
#include "lib/attention/matrix_stage_second.wgsl"
    workgroupBarrier();
#repeat e FD
    first$e = k[block_vector(local + $eu * 128u, j0 + 32u, KEY_HEADS, key_head)];
    second$e = v[block_vector(local + $eu * 128u, j0 + 32u, KEY_HEADS, key_head)];
#endrepeat
#include "lib/attention/matrix_scores.wgsl"
    let j = j0 + lane;
#repeat i 16
    {
      let row = own_row + $iu;
      let seen = j >= row_first[row] && j <= q0 + row;
      p_tile[row * HALF_STRIDE + lane] = f16(
        select(0.0, exp(score_of(scores[row * SCORE_STRIDE + lane]) - lse$i), seen),
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
#repeat d FD
    sum$d = subgroupMatrixMultiplyAccumulate(
      p0,
      subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, row_major>(
        &stage,
        32u * STAGE_STRIDE + $du * 16u,
        STAGE_STRIDE,
      ),
      sum$d,
    );
    sum$d = subgroupMatrixMultiplyAccumulate(
      p1,
      subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, row_major>(
        &stage,
        48u * STAGE_STRIDE + $du * 16u,
        STAGE_STRIDE,
      ),
      sum$d,
    );
#endrepeat
  }
  if (q0 + own_row < T) {
#repeat d FD
    subgroupMatrixStore<row_major>(&o, ((q0 + own_row) * HEADS + head) * D + $du * 16u, sum$d, HEADS * D);
#endrepeat
  }
}
