// MEMBERS products of one A, side by side: y_g = A B_g. A workgroup's tile lies in one of them. Of member g: SIZE columns, which are columns FIRST of
// all and workgroups TILE of the grid's x; its weight begins at element START, scale BLOCK and nested scale NESTED of the buffers that they share.
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
var<private> member: u32;
var<private> member_n: u32;
var<private> member_row: u32;
// Its first column of all.
var<private> member_first: u32;
// Where its partial sums begin.
var<private> member_partial: u32;
var<private> member_start: u32;
var<private> member_block: u32;
var<private> member_nested: u32;
const member_term: u32 = 0u;

// Of the member's own, for a workgroup of the grid's x.
fn first_column(tile: u32) -> u32 {
  var column = 0u;
#repeat g MEMBERS
  if (tile >= TILE$g) {
    member = $gu;
    member_n = SIZE$g;
    member_row = SIZE$g;
    member_first = FIRST$g;
    member_partial = SPLIT * M * FIRST$g;
    member_start = START$g;
    member_block = BLOCK$g;
    member_nested = NESTED$g;
    column = (tile - TILE$g) * TILE_N;
  }
#end
  return column;
}

fn begin_term(k: u32) {}

fn read_a(e: u32, m0: u32, start: u32, k: u32) -> vec4f {
  return a[(start + k * A_COLUMN) / 4u];
}
