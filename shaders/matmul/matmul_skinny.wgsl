// The product of matmul_direct.wgsl for a few rows of A, as in generation, where reading B is all there is to do: ROWS = M rows at once, A along k, B along k
// (B_ROW 1), K and strides multiples of 32. Several products at once: lib/group_columns.wgsl (GROUP). ADDED: what is lora_term to it.
// Buffers: 0 c, 1 a through lib/left_*.wgsl, 2 and 3 in lib/added_lora.wgsl, 4-7 B through lib/run_*.wgsl. Threads: workgroup x over TILE_N columns; 32 neighbours share
// PER_N of them and take a stretch of 1024 terms together, 32 each, by fours; their sums are lora_term up in order.
const LANES: u32 = 32u;
const STRETCH: u32 = 32u * LANES;
#include "lib/matmul/grouping.wgsl"
#include "lib/matmul/results.wgsl"
#include "lib/matmul/skinny_b.wgsl"
#include "lib/matmul/skinny_a.wgsl"
#include "lib/matmul/skinny_lora.wgsl"

// Of each column, by lanes; then by fours of them: one order whatever the tile, so that a row's result does not depend on how many there are.
const FEWER: u32 = LANES / 4u;
var<workgroup> partial: array<f32, TILE_N * LANES>;
var<workgroup> fewer: array<f32, TILE_N * FEWER>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  begin_b(t);
  let n0 = first_column(group.x);
  let lane = t % LANES;
#repeat c PER_N
  let column$c = min(n0 + t / LANES * PER_N + $cu, problem_n - 1u);
  let row$c = B_OFFSET + column$c * B_COLUMN;
  let up$c = lora_b_row(column$c, lane);
#repeat r ROWS
  var sum$r_$c = lora_term($ru, lane, up$c);
#endrepeat
#endrepeat
  for (var k = 0u; k < K; k += STRETCH) {
#repeat c PER_N
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
      part$r_$c = fma(four$c.w, left$r.w, fma(four$c.z, left$r.z, fma(four$c.y, left$r.y, fma(four$c.x, left$r.x, part$r_$c))));
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
    store($ru, n0 + t, 0u, total);
  }
#endrepeat
}
