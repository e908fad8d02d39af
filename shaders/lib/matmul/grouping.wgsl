// Which problem of a grouped GEMM a workgroup or a tile works on. GROUPED says how the problems lie:
//   none: one problem with one A and one C, whose weight begins its buffers.
//   columns: y_g = A B_g, PROBLEMS products of one A side by side. A workgroup's tile lies in one of them.
//     Problem g has SIZE<g> columns, which are columns FIRST<g> and on of all and workgroups TILE<g> and on
//     of the grid's x.
//   terms: C = sum_g A_g B_g, one sum of PROBLEMS products with A_g [M, SIZE<g>] by rows. A tile's terms lie
//     in one of them. Problem g has SIZE<g> terms, from FIRST<g> on of all.
// The weight of problem g begins at element START<g>, scale BLOCK<g> and nested scale NESTED<g> of the
// buffers that all of them share.
// Buffers: a, or a0, a1, … where GROUPED is terms.
// problem: its index. problem_n, problem_row: columns of C, and elements of a row of C. problem_first: its
// first column of all. problem_partial: where its partial sums begin. problem_term: its first term.
// problem_start, problem_block, problem_nested: where its weight begins.
#if GROUPED == none
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
const problem: u32 = 0u;
const problem_first: u32 = 0u;
const problem_n: u32 = N;
const problem_row: u32 = C_ROW;
const problem_partial: u32 = 0u;
const problem_term: u32 = 0u;
const problem_start: u32 = 0u;
const problem_block: u32 = 0u;
const problem_nested: u32 = 0u;
#elif GROUPED == columns
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
var<private> problem: u32;
var<private> problem_n: u32;
var<private> problem_row: u32;
var<private> problem_first: u32;
var<private> problem_partial: u32;
var<private> problem_start: u32;
var<private> problem_block: u32;
var<private> problem_nested: u32;
const problem_term: u32 = 0u;
#elif GROUPED == terms
#repeat g PROBLEMS
@group(0) @binding(1$g) var<storage, read> a$g: array<vec4f>;
#endrepeat
var<private> problem: u32;
var<private> problem_terms: u32;
var<private> problem_term: u32;
var<private> problem_start: u32;
var<private> problem_block: u32;
var<private> problem_nested: u32;
const problem_n: u32 = N;
const problem_row: u32 = C_ROW;
const problem_partial: u32 = 0u;
#endif

#if GROUPED == columns
// Chooses a problem by its index.
fn choose_problem(g: u32) {
#repeat g PROBLEMS
  if (g == $gu) {
    problem = $gu;
    problem_n = SIZE$g;
    problem_row = SIZE$g;
    problem_first = FIRST$g;
    problem_partial = SPLIT_K * M * FIRST$g;
    problem_start = START$g;
    problem_block = BLOCK$g;
    problem_nested = NESTED$g;
  }
#endrepeat
}
#endif

// Chooses the problem of a tile of columns, the grid's x. Returns the tile's first column within it.
fn first_column(tile: u32) -> u32 {
#if GROUPED == columns
  var column = 0u;
#repeat g PROBLEMS
  if (tile >= TILE$g) {
    choose_problem($gu);
    column = (tile - TILE$g) * TILE_N;
  }
#endrepeat
  return column;
#else
  return tile * TILE_N;
#endif
}

// Chooses the problem of terms k, k + 1, … of a tile, before they are read.
fn begin_terms(k: u32) {
#if GROUPED == terms
#repeat g PROBLEMS
  if (k >= FIRST$g) {
    problem = $gu;
    problem_terms = SIZE$g;
    problem_term = FIRST$g;
    problem_start = START$g;
    problem_block = BLOCK$g;
    problem_nested = NESTED$g;
  }
#endrepeat
#endif
}

// Where the e-th four elements of a tile of A at terms k and on lie in a, or in a<problem>. start: where they
// lie for k = 0, by the kernel's a_start.
fn a_index(e: u32, m0: u32, start: u32, k: u32) -> u32 {
#if GROUPED == terms
  return (a_row(e, m0) * problem_terms + k - problem_term + a_k(e)) / 4u;
#else
  return (start + k * A_COLUMN) / 4u;
#endif
}

fn read_a(e: u32, m0: u32, start: u32, k: u32) -> vec4f {
  let i = a_index(e, m0, start, k);
#if GROUPED == terms
  switch (problem) {
#repeat g PROBLEMS
    case $gu: {
      return a$g[i];
    }
#endrepeat
    default: {
      return vec4f();
    }
  }
#else
  return a[i];
#endif
}
