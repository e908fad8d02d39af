// What the tiled attention kernels share. THREADS invocations form 8 columns and ACROSS rows. An
// invocation at (x, y) owns rows y, y + ACROSS, … of a block of BLOCK rows, and columns x, x + 8, x + 16, x +
// 24 of 32. These four columns are one vec4, so that neighbours read neighbouring banks and every vec4 has
// one writer. Sums and reads are written out, one variable each: indexed arrays may end up in memory, and
// reads in a loop wait for one another.
// Constants: BLOCK; ACROSS; THREADS = 8 ACROSS; ROWS_PER_THREAD = BLOCK / ACROSS; VECTORS_PER_THREAD, the
//   vec4 of a head that an invocation owns (x, x + 8, …), N / 8 rounded up; HEAD_VECTORS = N; LOADS, the vec4
//   that it brings to a tile of 32 rows; PREFETCHES, whether it reads the next block's while it multiplies
//   this one's.
const N: u32 = D / 4u;
const STRIDE: u32 = N | 1u;
const SLOTS: u32 = 8u;
const SLOT_STRIDE: u32 = 9u;
const COLUMNS: u32 = 32u;
const KEY_HEADS: u32 = HEADS / GROUP_SIZE;

// Where the e-th vec4 of 32 rows from `row` on lies in an array of `heads` heads a row. Rows beyond the last
// repeat it.
fn row_vector(e: u32, row: u32, heads: u32, head: u32) -> u32 {
  return (min(row + e / N, T - 1u) * heads + head) * N + e % N;
}

fn tile_slot(e: u32) -> u32 {
  return e / N * STRIDE + e % N;
}
