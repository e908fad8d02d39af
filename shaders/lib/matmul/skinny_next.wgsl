// What the adapter that reads the results of matmul_skinny.wgsl next takes from them, where NEXT_RANK (and
// GATED): of each workgroup's columns its partial sums of c times the rows of next_a, [workgroups, M,
// NEXT_RANK] behind the rows of c. Where NEXT_RANK is 0, nothing.
// Buffers: next_a [NEXT_RANK, SIZE0].
// next_a_quad: an invocation's four columns of a row of next_a, which is read ahead. keep_result: keeps a
// result of the workgroup's column. write_parts: what all invocations call after the results are kept.
#if NEXT_RANK
@group(0) @binding(9) var<storage, read> next_a: array<vec4f>;

const COLUMNS: u32 = TILE_N / 2u;
const COLUMN_QUADS: u32 = COLUMNS / 4u;
const TERMS: u32 = NEXT_RANK * COLUMN_QUADS;
var<workgroup> kept: array<f32, ROWS * COLUMNS>;

fn next_a_quad(n0: u32, t: u32) -> vec4f {
  let n = n0 + t % COLUMN_QUADS * 4u;
  if (t < TERMS && n < SIZE0) {
    return next_a[(t / COLUMN_QUADS * SIZE0 + n) / 4u];
  }
  return vec4f();
}

fn keep_result(row: u32, column: u32, value: f32) {
  kept[row * COLUMNS + column] = value;
}

fn write_parts(tile: u32, a_quad: vec4f, t: u32) {
  workgroupBarrier();
  if (t < TERMS) {
#repeat r ROWS
    {
      let at = $ru * COLUMNS + t % COLUMN_QUADS * 4u;
      let results = vec4f(kept[at], kept[at + 1u], kept[at + 2u], kept[at + 3u]);
      partial[$ru * TERMS + t] = dot(a_quad, results);
    }
#endrepeat
  }
  workgroupBarrier();
  for (var i = t; i < ROWS * NEXT_RANK; i += THREADS) {
    var sum = partial[i * COLUMN_QUADS];
    for (var quad = 1u; quad < COLUMN_QUADS; quad++) {
      sum += partial[i * COLUMN_QUADS + quad];
    }
    if (has_row(i / NEXT_RANK)) {
      c[M * SIZE0 + (tile * M + first_row) * NEXT_RANK + i] = sum;
    }
  }
}
#else
fn next_a_quad(n0: u32, t: u32) -> vec4f {
  return vec4f();
}

fn keep_result(row: u32, column: u32, value: f32) {}

fn write_parts(tile: u32, a_quad: vec4f, t: u32) {}
#endif
