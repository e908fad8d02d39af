// The sum of MEMBERS products: C = sum_g A_g B_g, with A_g [M, SIZE] by rows. A tile's terms lie in one of them. Of member g: SIZE terms, from FIRST on
// of all; its weight begins at element START, scale BLOCK and nested scale NESTED of the buffers that they share. Bindings 10, 11, ...: A_g.
#repeat g MEMBERS
@group(0) @binding(1$g) var<storage, read> a$g: array<vec4f>;
#end
var<private> member: u32;
var<private> member_terms: u32;
var<private> member_term: u32;
var<private> member_start: u32;
var<private> member_block: u32;
var<private> member_nested: u32;
const member_n: u32 = N;
const member_row: u32 = C_ROW;
const member_partial: u32 = 0u;

fn first_column(tile: u32) -> u32 {
  return tile * TILE_N;
}

// Ahead of the reads of terms k, k + 1, ... of a tile.
fn begin_term(k: u32) {
#repeat g MEMBERS
  if (k >= FIRST$g) {
    member = $gu;
    member_terms = SIZE$g;
    member_term = FIRST$g;
    member_start = START$g;
    member_block = BLOCK$g;
    member_nested = NESTED$g;
  }
#end
}

fn read_a(e: u32, m0: u32, start: u32, k: u32) -> vec4f {
  let i = (a_row(e, m0) * member_terms + k - member_term + a_k(e)) / 4u;
  switch (member) {
#repeat g MEMBERS
    case $gu: {
      return a$g[i];
    }
#end
    default: {
      return vec4f();
    }
  }
}
