// The product of matmul_cpu.wgsl by vec4 through workgroup memory: tiles of TILE_M x TILE_N x 16, of which an
// invocation makes PER_M x PER_N sums. The next tile is read while this one is multiplied. The conditions are
// those of matmul_cpu_vec4.wgsl: A runs along k (A_ALONG_K, A_COLUMN 1) or along m (A_ROW 1, M a multiple of
// 4), B along k (B_ALONG_K, B_ROW 1) or along n (B_COLUMN 1). An operand that runs along k lies in its tile
// by rows of four vec4 and one of padding, else by rows of the tile's other side.
// Buffers: c or c0, c1, … (lib/matmul/results.wgsl); a or a0, a1, … (lib/matmul/grouping.wgsl); B of any kind
//   (lib/matmul/tile_b.wgsl), of which an NF4 code is decoded once a tile.
// Constants: those of matmul_tiled_scalar.wgsl and of the three files. TILE_F16: tiles in float16. K_ALIGNED:
//   K is a multiple of 16. A_LOADS, B_LOADS: what an invocation reads of a tile, of A vec4, of B B_VECTORS
//   vec4 at once. VECTORS_M, VECTORS_N: PER_M / 4, PER_N / 4. B_SCALE_TERMS: for so many terms an NF4 scale
//   holds.
// Threads: workgroup x over n, y over m, z over the splits of k; THREADS = TILE_M / PER_M * TILE_N / PER_N.
#include "lib/tile.wgsl"
#include "lib/matmul/grouping.wgsl"
#include "lib/matmul/results.wgsl"
#include "lib/matmul/tile_b.wgsl"

const COLUMNS: u32 = TILE_N / PER_N;
const ROWS: u32 = TILE_M / PER_M;
const A_STRIDE: u32 = select(TILE_M / 4u, 5u, A_ALONG_K);
const B_STRIDE: u32 = select(TILE_N / 4u, 5u, B_ALONG_K);
const A_VECTORS: u32 = TILE_M * 4u;
const B_UNIT: u32 = 4u * B_VECTORS;
const B_UNITS: u32 = TILE_N * 16u / B_UNIT;
var<workgroup> a_tile: array<Tile, select(16u, TILE_M, A_ALONG_K) * A_STRIDE>;
var<workgroup> b_tile: array<Tile, select(16u, TILE_N, B_ALONG_K) * B_STRIDE>;

// a_k, a_slot, a_start: the k, the place in the tile and, for k = 0 of the slice, the place in a of the e-th
// vec4 of A's tile. b_k, b_slot, b_start: the same of the e-th unit of B's.
fn a_k(e: u32) -> u32 {
  return select(e / (TILE_M / 4u), e % 4u * 4u, A_ALONG_K);
}

fn a_row(e: u32, m0: u32) -> u32 {
  return min(m0 + e / 4u, M - 1u);
}

fn a_slot(e: u32) -> u32 {
  return select(e, e / 4u * 5u + e % 4u, A_ALONG_K);
}

fn a_start(e: u32, m0: u32) -> u32 {
  if (A_ALONG_K) {
    return A_OFFSET + a_row(e, m0) * A_ROW + a_k(e);
  }
  return A_OFFSET + min(m0 + e % (TILE_M / 4u) * 4u, M - 4u) + a_k(e) * A_COLUMN;
}

fn b_k(e: u32) -> u32 {
  return select(e / (TILE_N / B_UNIT), e % (16u / B_UNIT) * B_UNIT, B_ALONG_K);
}

fn b_slot(e: u32) -> u32 {
  return select(e * (B_UNIT / 4u), e / (16u / B_UNIT) * 5u + e % (16u / B_UNIT) * (B_UNIT / 4u), B_ALONG_K);
}

fn b_start(e: u32, n0: u32) -> u32 {
  if (B_ALONG_K) {
    return B_OFFSET + min(n0 + e / (16u / B_UNIT), problem_n - 1u) * B_COLUMN + b_k(e);
  }
  return B_OFFSET + min(n0 + e % (TILE_N / B_UNIT) * B_UNIT, problem_n - B_UNIT) + b_k(e) * B_ROW;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let m0 = group.y * TILE_M;
  let n0 = first_column(group.x);
  let x = t % COLUMNS;
  let y = t / COLUMNS;
  let first = group.z * K_PER_SPLIT;
  let last = min(first + K_PER_SPLIT, K);
#repeat i PER_M
#repeat j VECTORS_N
  var sum$i_$j = vec4f();
#endrepeat
#endrepeat
  begin_terms(first);
#repeat i A_LOADS
  let a_at$i = a_start(t + $iu * THREADS, m0);
  var a_next$i = vec4f();
  if (A_LOADS * THREADS == A_VECTORS || t + $iu * THREADS < A_VECTORS) {
    if (K_ALIGNED || first + a_k(t + $iu * THREADS) < last) {
      a_next$i = read_a(t + $iu * THREADS, m0, a_at$i, first);
    }
  }
#endrepeat
  begin_b(t);
#repeat i B_LOADS
  let b_at$i = b_start(t + $iu * THREADS, n0);
  var b_next$i = Fetched();
  if (B_LOADS * THREADS == B_UNITS || t + $iu * THREADS < B_UNITS) {
    if (K_ALIGNED || first + b_k(t + $iu * THREADS) < last) {
      b_next$i = fetch_b(b_at$i + (first - problem_term) * B_ROW, true, b_next$i);
    }
  }
#endrepeat
  for (var k0 = first; k0 < last; k0 += 16u) {
#repeat i A_LOADS
    if (A_LOADS * THREADS == A_VECTORS || t + $iu * THREADS < A_VECTORS) {
      a_tile[a_slot(t + $iu * THREADS)] = Tile(a_next$i);
    }
#endrepeat
#repeat i B_LOADS
    if (B_LOADS * THREADS == B_UNITS || t + $iu * THREADS < B_UNITS) {
#repeat h B_VECTORS
      b_tile[b_slot(t + $iu * THREADS) + $hu] = Tile(b_vector(b_next$i, $hu));
#endrepeat
    }
#endrepeat
    workgroupBarrier();
    let next = k0 + 16u;
    if (next < last) {
      begin_terms(next);
      let renewed = next % B_SCALE_TERMS == 0u;
#repeat i A_LOADS
      if (A_LOADS * THREADS == A_VECTORS || t + $iu * THREADS < A_VECTORS) {
        if (K_ALIGNED || next + a_k(t + $iu * THREADS) < last) {
          a_next$i = read_a(t + $iu * THREADS, m0, a_at$i, next);
        } else {
          a_next$i = vec4f();
        }
      }
#endrepeat
#repeat i B_LOADS
      if (B_LOADS * THREADS == B_UNITS || t + $iu * THREADS < B_UNITS) {
        if (K_ALIGNED || next + b_k(t + $iu * THREADS) < last) {
          b_next$i = fetch_b(b_at$i + (next - problem_term) * B_ROW, renewed, b_next$i);
        } else {
          b_next$i = Fetched();
        }
      }
#endrepeat
    }
    for (var k = 0u; k < 4u; k++) {
      // row<i>: four k of one row of A. b0_<j> to b3_<j>: four columns of B for each of these k.
#if A_ALONG_K
#repeat i PER_M
      let row$i = vec4f(a_tile[(y + $iu * ROWS) * A_STRIDE + k]);
#endrepeat
#else
#repeat h VECTORS_M
      let a$h_0 = vec4f(a_tile[k * 4u * A_STRIDE + y + $hu * ROWS]);
      let a$h_1 = vec4f(a_tile[(k * 4u + 1u) * A_STRIDE + y + $hu * ROWS]);
      let a$h_2 = vec4f(a_tile[(k * 4u + 2u) * A_STRIDE + y + $hu * ROWS]);
      let a$h_3 = vec4f(a_tile[(k * 4u + 3u) * A_STRIDE + y + $hu * ROWS]);
#endrepeat
#repeat i PER_M
      let row$i = vec4f(a$(i/4)_0[$(i%4)], a$(i/4)_1[$(i%4)], a$(i/4)_2[$(i%4)], a$(i/4)_3[$(i%4)]);
#endrepeat
#endif
#if B_ALONG_K
#repeat j VECTORS_N
      let c0_$j = vec4f(b_tile[(x + ($ju * 4u) * COLUMNS) * B_STRIDE + k]);
      let c1_$j = vec4f(b_tile[(x + ($ju * 4u + 1u) * COLUMNS) * B_STRIDE + k]);
      let c2_$j = vec4f(b_tile[(x + ($ju * 4u + 2u) * COLUMNS) * B_STRIDE + k]);
      let c3_$j = vec4f(b_tile[(x + ($ju * 4u + 3u) * COLUMNS) * B_STRIDE + k]);
      let b0_$j = vec4f(c0_$j.x, c1_$j.x, c2_$j.x, c3_$j.x);
      let b1_$j = vec4f(c0_$j.y, c1_$j.y, c2_$j.y, c3_$j.y);
      let b2_$j = vec4f(c0_$j.z, c1_$j.z, c2_$j.z, c3_$j.z);
      let b3_$j = vec4f(c0_$j.w, c1_$j.w, c2_$j.w, c3_$j.w);
#endrepeat
#else
#repeat j VECTORS_N
      let b0_$j = vec4f(b_tile[k * 4u * B_STRIDE + x + $ju * COLUMNS]);
      let b1_$j = vec4f(b_tile[(k * 4u + 1u) * B_STRIDE + x + $ju * COLUMNS]);
      let b2_$j = vec4f(b_tile[(k * 4u + 2u) * B_STRIDE + x + $ju * COLUMNS]);
      let b3_$j = vec4f(b_tile[(k * 4u + 3u) * B_STRIDE + x + $ju * COLUMNS]);
#endrepeat
#endif
#repeat i PER_M
#repeat j VECTORS_N
      sum$i_$j = fma(vec4f(row$i.x), b0_$j, sum$i_$j);
      sum$i_$j = fma(vec4f(row$i.y), b1_$j, sum$i_$j);
      sum$i_$j = fma(vec4f(row$i.z), b2_$j, sum$i_$j);
      sum$i_$j = fma(vec4f(row$i.w), b3_$j, sum$i_$j);
#endrepeat
#endrepeat
    }
    workgroupBarrier();
  }
#repeat i PER_M
  {
    let m = m0 + select((y + $iu / 4u * ROWS) * 4u + $iu % 4u, y + $iu * ROWS, A_ALONG_K);
    if (m < M) {
#repeat j VECTORS_N
      if (B_ALONG_K) {
        let n = n0 + x + $ju * 4u * COLUMNS;
        store(m, n, group.z, sum$i_$j.x);
        store(m, n + COLUMNS, group.z, sum$i_$j.y);
        store(m, n + 2u * COLUMNS, group.z, sum$i_$j.z);
        store(m, n + 3u * COLUMNS, group.z, sum$i_$j.w);
      } else {
        store4(m, n0 + (x + $ju * COLUMNS) * 4u, group.z, sum$i_$j);
      }
#endrepeat
    }
  }
#endrepeat
}
