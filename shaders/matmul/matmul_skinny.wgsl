// The product of matmul_cpu.wgsl for some rows of A, as in generation, where reading B is all there is to
// do. A runs along k, B along k (B_ROW 1); K, offsets and strides are multiples of 32. The second product of
// LoRA may be added to it (lib/matmul/skinny_lora.wgsl). GATED: of two problems of one size, gate and up,
// only c = activation(gate) up is written; neighbouring columns of a workgroup are one of each. It then may
// begin the first product of the next adapter (lib/matmul/skinny_next.wgsl).
// Buffers: c or c0, c1, … (lib/matmul/results.wgsl); a (lib/matmul/grouping.wgsl); B of any kind
//   (lib/matmul/skinny_b.wgsl); where ADDS_LORA, lora_down or adapter_scale, and lora_b; where NEXT_RANK,
//   next_a.
// Constants: those of matmul_cpu.wgsl, of the six files of lib/matmul and of lib/row_groups.wgsl, where M is
//   ALL_ROWS. TILE_N: columns a workgroup; PER_N: columns that 32 invocations share. A_STAGED: see
//   lib/matmul/skinny_a.wgsl.
// Threads: workgroup x over TILE_N columns, y over ROWS rows, of THREADS invocations. 32 neighbours share
//   PER_N columns and take a stretch of 1024 terms together, 32 terms each, by vec4. Their sums are added up
//   in order.
const LANES: u32 = 32u;
const STRETCH: u32 = 32u * LANES;
#include "lib/matmul/grouping.wgsl"
#include "lib/matmul/results.wgsl"
#include "lib/row_groups.wgsl"
#include "lib/matmul/skinny_b.wgsl"
#include "lib/matmul/skinny_a.wgsl"
#include "lib/matmul/skinny_lora.wgsl"
#include "lib/matmul/skinny_next.wgsl"
#if GATED
#include "lib/elementwise/activation.wgsl"
var<workgroup> totals: array<f32, TILE_N>;
#endif

// Each column's sums by lanes, then by fours of lanes: one order whatever the tile is, so that a row's result
// does not depend on how many rows there are.
const FEWER: u32 = LANES / 4u;
var<workgroup> partial: array<f32, TILE_N * LANES>;
var<workgroup> fewer: array<f32, TILE_N * FEWER>;

fn store_row(row: u32, n: u32, value: f32) {
  if (has_row(row)) {
    store(first_row + row, n, 0u, value);
  }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  choose_rows(group.y);
#if GATED
  let n0 = group.x * (TILE_N / 2u);
#else
  let n0 = first_column(group.x);
#endif
  let next_quad = next_a_quad(n0, t);
  read_parts(t);
  begin_b(t);
  add_parts(t);
  let lane = t % LANES;
#repeat c PER_N
#if GATED
  choose_problem($(c%2)u);
  let column$c = min(n0 + t / LANES * (PER_N / 2u) + $(c/2)u, problem_n - 1u);
#else
  let column$c = min(n0 + t / LANES * PER_N + $cu, problem_n - 1u);
#endif
  let row$c = B_OFFSET + column$c * B_COLUMN;
  let up$c = lora_b_row(column$c, lane);
#repeat r ROWS
  var sum$r_$c = lora_term($ru, lane, up$c);
#endrepeat
#endrepeat
  for (var k = 0u; k < K; k += STRETCH) {
#repeat c PER_N
#if GATED
    choose_problem($(c%2)u);
#endif
    let run$c = b_run(row$c + k, lane);
    let scale$c = b_scale(row$c + k, lane);
#repeat r ROWS
    var part$r_$c = 0.0;
#endrepeat
#endrepeat
#repeat q 8
    stage_a(k, $qu, t);
    if (K % STRETCH == 0u || k + term_of(lane, $qu) < K) {
#repeat c PER_N
      let four$c = b_vector(run$c, lane, $qu);
#endrepeat
#repeat r ROWS
      let left$r = a_vector($ru, k, lane, $qu);
#repeat c PER_N
      part$r_$c = fma(
        four$c.w,
        left$r.w,
        fma(four$c.z, left$r.z, fma(four$c.y, left$r.y, fma(four$c.x, left$r.x, part$r_$c))),
      );
#endrepeat
#endrepeat
    }
#endrepeat
#repeat r ROWS
#repeat c PER_N
    sum$r_$c = fma(scale$c, part$r_$c, sum$r_$c);
#endrepeat
#endrepeat
  }
#repeat r ROWS
#repeat c PER_N
  partial[(t / LANES * PER_N + $cu) * LANES + lane] = sum$r_$c;
#endrepeat
  workgroupBarrier();
  if (t < TILE_N * FEWER) {
    fewer[t] = partial[4u * t] + partial[4u * t + 1u] + partial[4u * t + 2u] + partial[4u * t + 3u];
  }
  workgroupBarrier();
  if (t < TILE_N) {
    var total = 0.0;
    for (var l = 0u; l < FEWER; l++) {
      total += fewer[t * FEWER + l];
    }
#if GATED
    totals[t] = total;
#else
    store_row($ru, n0 + t, total);
#endif
  }
#if GATED
  workgroupBarrier();
  if (t < TILE_N / 2u) {
    let result = activation(totals[2u * t]) * totals[2u * t + 1u];
    store_row($ru, n0 + t, result);
    keep_result($ru, t, result);
  }
#endif
#endrepeat
  write_parts(group.x, next_quad, t);
}
