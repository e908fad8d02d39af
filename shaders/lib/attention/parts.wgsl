// What the attention kernels for large heads share: lib/attention/tile.wgsl, but a head goes through
// workgroup memory in PARTS parts of PART vec4, and an invocation at (x, y) owns row y alone. Of part p it
// owns the vec4 x, x + 8, … below PART.
// Constants: BLOCK, the rows of a block; ACROSS = BLOCK; THREADS = 8 BLOCK; ROWS_PER_THREAD = 1; PARTS, which
//   divides D / 4; VECTORS_PER_PART = PART / 8 rounded up.
const N: u32 = D / 4u;
const PART: u32 = N / PARTS;
const STRIDE: u32 = PART | 1u;
const SLOT_STRIDE: u32 = 9u;
const COLUMNS: u32 = 32u;
const KEY_HEADS: u32 = HEADS / GROUP_SIZE;

// Where the e-th vec4 of a part of the rows from `row` on lies in an array of `heads` heads a row. Rows
// beyond the last repeat it.
fn part_vector(e: u32, part: u32, row: u32, heads: u32, head: u32) -> u32 {
  return (min(row + e / PART, T - 1u) * heads + head) * N + part * PART + e % PART;
}

fn tile_slot(e: u32) -> u32 {
  return e / PART * STRIDE + e % PART;
}
