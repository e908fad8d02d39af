// A product on its own: one A, one C, one weight that begins its buffers. What lib/group_columns.wgsl and lib/group_terms.wgsl set by member are
// constants here.
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
const member: u32 = 0u;
const member_first: u32 = 0u;
const member_n: u32 = N;
const member_row: u32 = C_ROW;
const member_partial: u32 = 0u;
const member_term: u32 = 0u;
const member_start: u32 = 0u;
const member_block: u32 = 0u;
const member_nested: u32 = 0u;

fn first_column(tile: u32) -> u32 {
  return tile * TILE_N;
}

fn begin_term(k: u32) {}

fn read_a(e: u32, m0: u32, start: u32, k: u32) -> vec4f {
  return a[(start + k * A_COLUMN) / 4u];
}
