// The same product as matmul_direct.wgsl for large sides: tiles of TILE_M x TILE_N x TILE_K, both k-major in workgroup memory, PER_M x PER_N sums an
// invocation, the next tile read while this one is multiplied, every term of a tile written out. A runs along k (A_COLUMN 1), B along k (B_ALONG_K,
// B_ROW 1) or along n (B_COLUMN 1); offsets, strides, N and K are multiples of 4.
// Buffers: 0 c, 1 a, 4-7 B through lib/tile_b_*.wgsl. Several products at once: lib/group_columns.wgsl, lib/group_terms.wgsl (GROUP).
// NF4's scales hold for B_SCALE_TERMS terms. Threads: workgroup x over n, y over m, z over slices of k;
// THREADS = TILE_M / PER_M * TILE_N / PER_N. A subgroup of 32 takes a patch of 4 rows and 8 columns of invocations, so that it reads few different words.
// A_LOADS, B_LOADS: reads an invocation does a tile, of four elements of A and 4 B_VECTORS of B. VECTORS_M, VECTORS_N: vec4 of PER_M, PER_N.
#include "lib/tile.wgsl"
#include "lib/matmul/grouping.wgsl"
#include "lib/matmul/results.wgsl"
#include "lib/matmul/tile_b.wgsl"

const COLUMNS: u32 = TILE_N / PER_N;
const ROWS: u32 = TILE_M / PER_M;
// One vec4 of padding turns the banks from one k to the next.
const A_STRIDE: u32 = TILE_M / 4u + 1u;
const B_STRIDE: u32 = TILE_N / 4u + 1u;
const B_UNIT: u32 = 4u * B_VECTORS;
var<workgroup> a_tile: array<Tile, TILE_K * A_STRIDE>;
var<workgroup> b_tile: array<Tile, TILE_K * B_STRIDE>;

// Of the e-th four of A's tile: its first k, its row, and where it lies for k = 0.
fn a_k(e: u32) -> u32 {
  return e / TILE_M * 4u;
}

fn a_row(e: u32, m0: u32) -> u32 {
  return min(m0 + e % TILE_M, M - 1u);
}

fn a_start(e: u32, m0: u32) -> u32 {
  return A_OFFSET + a_row(e, m0) * A_ROW + a_k(e);
}

// Of the e-th unit of B's tile: its first k, and where it lies for k = 0 of its problem.
fn b_k(e: u32) -> u32 {
  return select(e / (TILE_N / B_UNIT), e / TILE_N * B_UNIT, B_ALONG_K);
}

fn b_start(e: u32, n0: u32) -> u32 {
  if (B_ALONG_K) {
    return B_OFFSET + min(n0 + e % TILE_N, problem_n - 1u) * B_COLUMN + b_k(e);
  }
  return B_OFFSET + min(n0 + e % (TILE_N / B_UNIT) * B_UNIT, problem_n - B_UNIT) + b_k(e) * B_ROW;
}

// Four k of one row of A: a column of the tile.
fn put_a(e: u32, read: vec4f) {
  let four = Tile(read);
  let at = e / TILE_M * 4u * A_STRIDE + e % TILE_M / 4u;
  let lane = e % 4u;
  a_tile[at][lane] = four.x;
  a_tile[at + A_STRIDE][lane] = four.y;
  a_tile[at + 2u * A_STRIDE][lane] = four.z;
  a_tile[at + 3u * A_STRIDE][lane] = four.w;
}

// The h-th four of a unit of B.
fn put_b(e: u32, h: u32, read: vec4f) {
  let four = Tile(read);
  if (!B_ALONG_K) {
    b_tile[b_k(e) * B_STRIDE + e % (TILE_N / B_UNIT) * B_VECTORS + h] = four;
    return;
  }
  let at = (b_k(e) + 4u * h) * B_STRIDE + e % TILE_N / 4u;
  let lane = e % 4u;
  b_tile[at][lane] = four.x;
  b_tile[at + B_STRIDE][lane] = four.y;
  b_tile[at + 2u * B_STRIDE][lane] = four.z;
  b_tile[at + 3u * B_STRIDE][lane] = four.w;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let m0 = group.y * TILE_M;
  let n0 = first_column(group.x);
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
  if (K_ALIGNED || first + a_k(t + $iu * THREADS) < last) {
    a_next$i = read_a(t + $iu * THREADS, m0, a_at$i, first);
  }
#endrepeat
#repeat i B_LOADS
  let b_k$i = b_k(t + $iu * THREADS);
  let b_at$i = b_start(t + $iu * THREADS, n0);
  var b_next$i = Fetched();
  if (K_ALIGNED || first + b_k$i < last) {
    b_next$i = fetch_b(b_at$i + (first - problem_term) * B_ROW, true, b_next$i);
  }
#endrepeat
  for (var k0 = first; k0 < last; k0 += TILE_K) {
#repeat i A_LOADS
    put_a(t + $iu * THREADS, a_next$i);
#endrepeat
#repeat i B_LOADS
#repeat h B_VECTORS
    put_b(t + $iu * THREADS, $hu, b_vector(b_next$i, $hu));
#endrepeat
#endrepeat
    workgroupBarrier();
    let next = k0 + TILE_K;
    if (next < last) {
      begin_terms(next);
      let renewed = next % B_SCALE_TERMS == 0u;
#repeat i A_LOADS
      if (K_ALIGNED || next + a_k(t + $iu * THREADS) < last) {
        a_next$i = read_a(t + $iu * THREADS, m0, a_at$i, next);
      } else {
        a_next$i = vec4f();
      }
#endrepeat
#repeat i B_LOADS
      if (K_ALIGNED || next + b_k$i < last) {
        b_next$i = fetch_b(b_at$i + (next - problem_term) * B_ROW, renewed, b_next$i);
      } else {
        b_next$i = Fetched();
      }
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
