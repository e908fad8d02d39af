// The product of matmul_cpu.wgsl for large sides: tiles of TILE_M x TILE_N x TILE_K, both k-major in
// workgroup memory, of which an invocation makes PER_M x PER_N sums, unrolled over every term of a tile. The
// next tile is read while this one is multiplied. A runs along k (A_COLUMN 1), B along k (B_ALONG_K, B_ROW 1)
// or along n (B_COLUMN 1); offsets, strides, N and K are multiples of 4.
// Buffers: c or c0, c1, … (lib/matmul/results.wgsl); a or a0, a1, … (lib/matmul/grouping.wgsl); B of any kind
//   (lib/matmul/tile_b.wgsl).
// Constants: those of matmul_tiled_vec4.wgsl but A_ALONG_K; TILE_K, which is 16; TILES_X and TILES_Y.
// Threads: workgroups x and y over the tiles of C (lib/matmul/tile_order.wgsl), z over the splits of k;
//   THREADS = TILE_M / PER_M * TILE_N / PER_N. A subgroup of 32 takes a patch of 4 rows by 8 columns of
//   invocations, so that it reads few different words.
#include "lib/tile.wgsl"
#include "lib/matmul/grouping.wgsl"
#include "lib/matmul/results.wgsl"
#include "lib/matmul/tile_order.wgsl"
#include "lib/matmul/tile_b.wgsl"

const COLUMNS: u32 = TILE_N / PER_N;
const ROWS: u32 = TILE_M / PER_M;
// One vec4 of padding moves each k to other banks than the k before it.
const A_STRIDE: u32 = TILE_M / 4u + 1u;
const B_STRIDE: u32 = TILE_N / 4u + 1u;
const B_UNIT: u32 = 4u * B_VECTORS;
var<workgroup> a_tile: array<Tile, TILE_K * A_STRIDE>;
var<workgroup> b_tile: array<Tile, TILE_K * B_STRIDE>;

// a_k, a_row, a_start: the first k, the row and, for k = 0, the place in a of the e-th four of A's tile.
// Neighbouring invocations read neighbouring fours of a row, so that each memory line is read once.
fn a_k(e: u32) -> u32 {
  return e % (TILE_K / 4u) * 4u;
}

fn a_row(e: u32, m0: u32) -> u32 {
  return min(m0 + e / (TILE_K / 4u), M - 1u);
}

fn a_start(e: u32, m0: u32) -> u32 {
  return A_OFFSET + a_row(e, m0) * A_ROW + a_k(e);
}

// b_k, b_start: the first k and, for k = 0 of its problem, the place in B of the e-th unit of B's tile.
fn b_k(e: u32) -> u32 {
  return select(e / (TILE_N / B_UNIT), e % (TILE_K / B_UNIT) * B_UNIT, B_ALONG_K);
}

fn b_start(e: u32, n0: u32) -> u32 {
  if (B_ALONG_K) {
    return B_OFFSET + min(n0 + e / (TILE_K / B_UNIT), problem_n - 1u) * B_COLUMN + b_k(e);
  }
  return B_OFFSET + min(n0 + e % (TILE_N / B_UNIT) * B_UNIT, problem_n - B_UNIT) + b_k(e) * B_ROW;
}

// Stores four k of one row of A, which are a column of the tile.
fn put_a(e: u32, read: vec4f) {
  let four = Tile(read);
  let row = e / (TILE_K / 4u);
  let at = a_k(e) * A_STRIDE + row / 4u;
  let lane = row % 4u;
  a_tile[at][lane] = four.x;
  a_tile[at + A_STRIDE][lane] = four.y;
  a_tile[at + 2u * A_STRIDE][lane] = four.z;
  a_tile[at + 3u * A_STRIDE][lane] = four.w;
}

// Stores the h-th four elements of a unit of B.
fn put_b(e: u32, h: u32, read: vec4f) {
  let four = Tile(read);
  if (!B_ALONG_K) {
    b_tile[b_k(e) * B_STRIDE + e % (TILE_N / B_UNIT) * B_VECTORS + h] = four;
    return;
  }
  let column = e / (TILE_K / B_UNIT);
  let at = (b_k(e) + 4u * h) * B_STRIDE + column / 4u;
  let lane = column % 4u;
  b_tile[at][lane] = four.x;
  b_tile[at + B_STRIDE][lane] = four.y;
  b_tile[at + 2u * B_STRIDE][lane] = four.z;
  b_tile[at + 3u * B_STRIDE][lane] = four.w;
}

#if B_FOURS
// The same where B runs along k and a unit is a square of four columns and four k, which an invocation
// transposes.
fn b_fours_k(e: u32) -> u32 {
  return e % (TILE_K / 4u) * 4u;
}

fn b_fours_start(e: u32, n0: u32, f: u32) -> u32 {
  return B_OFFSET + min(n0 + e / (TILE_K / 4u) * 4u + f, problem_n - 1u) * B_COLUMN + b_fours_k(e);
}

fn put_b_fours(e: u32, f0: Fetched, f1: Fetched, f2: Fetched, f3: Fetched) {
  let at = b_fours_k(e) * B_STRIDE + e / (TILE_K / 4u);
  let b0 = b_vector(f0, 0u);
  let b1 = b_vector(f1, 0u);
  let b2 = b_vector(f2, 0u);
  let b3 = b_vector(f3, 0u);
  b_tile[at] = Tile(vec4f(b0.x, b1.x, b2.x, b3.x));
  b_tile[at + B_STRIDE] = Tile(vec4f(b0.y, b1.y, b2.y, b3.y));
  b_tile[at + 2u * B_STRIDE] = Tile(vec4f(b0.z, b1.z, b2.z, b3.z));
  b_tile[at + 3u * B_STRIDE] = Tile(vec4f(b0.w, b1.w, b2.w, b3.w));
}
#endif

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let place = tile_of(group);
  let m0 = place.y * TILE_M;
  let n0 = first_column(place.x);
  let x = t / 32u % (COLUMNS / 8u) * 8u + t % 8u;
  let y = t / 32u / (COLUMNS / 8u) * 4u + t % 32u / 8u;
  let first = group.z * K_PER_SPLIT;
  let last = min(first + K_PER_SPLIT, K);
#repeat i PER_M
#repeat j VECTORS_N
  var sum$i_$j = vec4f();
#endrepeat
#endrepeat
  begin_b(t);
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
#if B_FOURS
  let b_k$i = b_fours_k(t + $iu * THREADS);
#repeat f 4
  let b_at$i_$f = b_fours_start(t + $iu * THREADS, n0, $fu);
  var b_next$i_$f = Fetched();
  if (K_ALIGNED || first + b_k$i < last) {
    b_next$i_$f = fetch_b(b_at$i_$f + first, true, b_next$i_$f);
  }
#endrepeat
#else
  let b_k$i = b_k(t + $iu * THREADS);
  let b_at$i = b_start(t + $iu * THREADS, n0);
  var b_next$i = Fetched();
  if (K_ALIGNED || first + b_k$i < last) {
    b_next$i = fetch_b(b_at$i + (first - problem_term) * B_ROW, true, b_next$i);
  }
#endif
#endrepeat
  for (var k0 = first; k0 < last; k0 += TILE_K) {
#repeat i A_LOADS
    put_a(t + $iu * THREADS, a_next$i);
#endrepeat
#repeat i B_LOADS
#if B_FOURS
    put_b_fours(t + $iu * THREADS, b_next$i_0, b_next$i_1, b_next$i_2, b_next$i_3);
#else
#repeat h B_VECTORS
    put_b(t + $iu * THREADS, $hu, b_vector(b_next$i, $hu));
#endrepeat
#endif
#endrepeat
    workgroupBarrier();
    let next = k0 + TILE_K;
    if (next < last) {
      begin_terms(next);
      let renewed = next % B_SCALE_TERMS == 0u;
      let to_read = next;
#include "lib/matmul/read_a.wgsl"
#repeat i B_LOADS
#if B_FOURS
#repeat f 4
      if (K_ALIGNED || next + b_k$i < last) {
        b_next$i_$f = fetch_b(b_at$i_$f + next, renewed, b_next$i_$f);
      } else {
        b_next$i_$f = Fetched();
      }
#endrepeat
#else
      if (K_ALIGNED || next + b_k$i < last) {
        b_next$i = fetch_b(b_at$i + (next - problem_term) * B_ROW, renewed, b_next$i);
      } else {
        b_next$i = Fetched();
      }
#endif
#endrepeat
    }
#repeat k TILE_K
    {
#repeat h VECTORS_M
      let left$h = vec4f(a_tile[$ku * A_STRIDE + y + $hu * ROWS]);
#endrepeat
#repeat j VECTORS_N
      let right$j = vec4f(b_tile[$ku * B_STRIDE + x + $ju * COLUMNS]);
#endrepeat
#repeat i PER_M
#repeat j VECTORS_N
      sum$i_$j = fma(vec4f(left$(i/4)[$(i%4)]), right$j, sum$i_$j);
#endrepeat
#endrepeat
    }
#endrepeat
    workgroupBarrier();
  }
#repeat i PER_M
  {
    let m = m0 + (y + $(i/4)u * ROWS) * 4u + $(i%4)u;
    if (m < M) {
#repeat j VECTORS_N
      store4(m, n0 + (x + $ju * COLUMNS) * 4u, group.z, sum$i_$j);
#endrepeat
    }
  }
#endrepeat
}
