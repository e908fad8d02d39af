// The product of matmul_cpu.wgsl on the adapter's matrix units (subgroup matrices): A and B rounded to
// OPERANDS, f16 or f32, sums in float32. Tiles of TILE_M x TILE_N x TILE_K in workgroup memory; SUB_M x SUB_N
// subgroups of SUBGROUP share one, and each makes FM x FN fragments. The next tile is read while this one is
// multiplied. A runs along k, B along k (B_ALONG_K, B_ROW 1) or along n (B_COLUMN 1); M and N are multiples
// of 16, K and K_PER_SPLIT of TILE_K, offsets and strides of 4. ALPHA must be 1 where SPLIT_K is.
// Buffers: c or c0, c1, … (lib/matmul/results.wgsl); a or a0, a1, … (lib/matmul/grouping.wgsl); B of any kind
//   (lib/weight/vec4_operand.wgsl).
// Constants: those of matmul_tiled_unrolled.wgsl but for its tiles; A_SCALE, which multiplies A before it is
//   rounded; FRAGMENT_M, FRAGMENT_N, FRAGMENT_K, the sides of a fragment, which divide 16; FK = TILE_K /
//   FRAGMENT_K; B_F16; those of lib/matrix_extension.wgsl. PINNED: whether the adapter has subgroups of other
//   sizes, too.
// Threads: workgroups x and y over the tiles of C (lib/matmul/tile_order.wgsl), z over the splits of k;
//   THREADS = SUBGROUP SUB_M SUB_N.
#if OPERANDS == f16
enable f16;
#endif
enable subgroups;
#if PINNED
enable subgroup_size_control;
#endif
#include "lib/matrix_extension.wgsl"
#include "lib/matmul/grouping.wgsl"
#include "lib/matmul/results.wgsl"
#include "lib/matmul/tile_order.wgsl"
#if OPERANDS == f16
alias Operand = f16;
#else
alias Operand = f32;
#endif
#include "lib/weight/vec4_operand.wgsl"

// The padding, 16 bytes, keeps the rows of a fragment in different banks.
#if OPERANDS == f16
const PAD: u32 = 8u;
#else
const PAD: u32 = 4u;
#endif
const A_STRIDE: u32 = TILE_K + PAD;
const B_STRIDE: u32 = select(TILE_N, TILE_K, B_ALONG_K) + PAD;
const A_WIDTH: u32 = TILE_K / 4u;
const B_WIDTH: u32 = select(TILE_N, TILE_K, B_ALONG_K) / 4u;
var<workgroup> a_tile: array<Operand, TILE_M * A_STRIDE>;
var<workgroup> b_tile: array<Operand, select(TILE_K, TILE_N, B_ALONG_K) * B_STRIDE>;

fn a_k(e: u32) -> u32 {
  return e % A_WIDTH * 4u;
}

fn a_row(e: u32, m0: u32) -> u32 {
  return min(m0 + e / A_WIDTH, M - 1u);
}

fn a_start(e: u32, m0: u32) -> u32 {
  return A_OFFSET + a_row(e, m0) * A_ROW + a_k(e);
}

fn b_start(e: u32, n0: u32) -> u32 {
  if (B_ALONG_K) {
    return B_OFFSET + min(n0 + e / B_WIDTH, problem_n - 1u) * B_COLUMN + e % B_WIDTH * 4u;
  }
  return B_OFFSET + e / B_WIDTH * B_ROW + min(n0 + e % B_WIDTH * 4u, problem_n - 4u);
}

#if PINNED
@subgroup_size(SUBGROUP)
#endif
@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let place = tile_of(group);
  let m0 = place.y * TILE_M;
  let n0 = first_column(place.x);
  let sub_m = t / SUBGROUP / SUB_N * (FM * FRAGMENT_M);
  let sub_n = t / SUBGROUP % SUB_N * (FN * FRAGMENT_N);
  let first = group.z * K_PER_SPLIT;
  let last = min(first + K_PER_SPLIT, K);
  let origin = select(C_OFFSET, problem_partial + group.z * M * problem_n, SPLIT_K > 1u);
  let c_row = select(problem_row, problem_n, SPLIT_K > 1u);
#repeat i FM
#repeat j FN
  var sum$i_$j = subgroup_matrix_result<f32, FRAGMENT_N, FRAGMENT_M>();
#if C_GROUPED
  // ACCUMULATE is false for a grouped C.
#else
  let inside$i_$j = m0 + sub_m + $iu * FRAGMENT_M < M && n0 + sub_n + $ju * FRAGMENT_N < problem_n;
  if (ACCUMULATE && SPLIT_K == 1u && inside$i_$j) {
    sum$i_$j = subgroupMatrixLoad<subgroup_matrix_result<f32, FRAGMENT_N, FRAGMENT_M>, row_major>(
      &c,
      origin + (m0 + sub_m + $iu * FRAGMENT_M) * c_row + n0 + sub_n + $ju * FRAGMENT_N,
      c_row,
    );
  }
#endif
#endrepeat
#endrepeat
  // These indices are written out here and not in functions, so that a compiler sees that they lie within the
  // tiles and makes four neighbouring stores one.
#repeat i A_LOADS
  let a_slot$i = (t + $iu * THREADS) / A_WIDTH * A_STRIDE + (t + $iu * THREADS) % A_WIDTH * 4u;
#endrepeat
#repeat i B_LOADS
  let b_slot$i = (t + $iu * THREADS) / B_WIDTH * B_STRIDE + (t + $iu * THREADS) % B_WIDTH * 4u;
#endrepeat
  begin_terms(first);
#repeat i A_LOADS
  let a_at$i = a_start(t + $iu * THREADS, m0);
  var a_next$i = vec4f();
#endrepeat
  {
    let to_read = first;
#include "lib/matmul/read_a.wgsl"
  }
#repeat i B_LOADS
  let b_at$i = b_start(t + $iu * THREADS, n0);
  var b_next$i = stored4_at(problem_start + b_at$i + (first - problem_term) * B_ROW);
#endrepeat
  for (var k0 = first; k0 < last; k0 += TILE_K) {
#repeat i A_LOADS
    let a_operand$i = vec4<Operand>(a_next$i * A_SCALE);
    a_tile[a_slot$i] = a_operand$i.x;
    a_tile[a_slot$i + 1u] = a_operand$i.y;
    a_tile[a_slot$i + 2u] = a_operand$i.z;
    a_tile[a_slot$i + 3u] = a_operand$i.w;
#endrepeat
#repeat i B_LOADS
    let b_operand$i = operand4_of(b_next$i);
    b_tile[b_slot$i] = b_operand$i.x;
    b_tile[b_slot$i + 1u] = b_operand$i.y;
    b_tile[b_slot$i + 2u] = b_operand$i.z;
    b_tile[b_slot$i + 3u] = b_operand$i.w;
#endrepeat
    workgroupBarrier();
    let next = k0 + TILE_K;
    if (next < last) {
      begin_terms(next);
      let to_read = next;
#include "lib/matmul/read_a.wgsl"
#repeat i B_LOADS
      b_next$i = stored4_at(problem_start + b_at$i + (next - problem_term) * B_ROW);
#endrepeat
    }
#repeat k FK
    {
#repeat i FM
      let left$i = subgroupMatrixLoad<subgroup_matrix_left<Operand, FRAGMENT_K, FRAGMENT_M>, row_major>(
        &a_tile,
        (sub_m + $iu * FRAGMENT_M) * A_STRIDE + $ku * FRAGMENT_K,
        A_STRIDE,
      );
#endrepeat
#repeat j FN
#if B_ALONG_K
      let right$j = subgroupMatrixLoad<subgroup_matrix_right<Operand, FRAGMENT_N, FRAGMENT_K>, col_major>(
        &b_tile,
        (sub_n + $ju * FRAGMENT_N) * B_STRIDE + $ku * FRAGMENT_K,
        B_STRIDE,
      );
#else
      let right$j = subgroupMatrixLoad<subgroup_matrix_right<Operand, FRAGMENT_N, FRAGMENT_K>, row_major>(
        &b_tile,
        $ku * FRAGMENT_K * B_STRIDE + sub_n + $ju * FRAGMENT_N,
        B_STRIDE,
      );
#endif
#repeat i FM
      sum$i_$j = subgroupMatrixMultiplyAccumulate(left$i, right$j, sum$i_$j);
#endrepeat
#endrepeat
    }
#endrepeat
    workgroupBarrier();
  }
#repeat i FM
#repeat j FN
  if (m0 + sub_m + $iu * FRAGMENT_M < M && n0 + sub_n + $ju * FRAGMENT_N < problem_n) {
    let at = origin + (m0 + sub_m + $iu * FRAGMENT_M) * c_row + n0 + sub_n + $ju * FRAGMENT_N;
#if C_GROUPED
    switch (problem) {
#repeat g PROBLEMS
      case $gu: {
        subgroupMatrixStore<row_major>(&c$g, at, sum$i_$j, c_row);
      }
#endrepeat
      default: {}
    }
#else
    subgroupMatrixStore<row_major>(&c, at, sum$i_$j, c_row);
#endif
  }
#endrepeat
#endrepeat
}
