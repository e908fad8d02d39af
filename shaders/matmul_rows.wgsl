// The product of matmul_direct.wgsl for a few rows of A, as in generation, where reading B is all there is to do: ROWS = M rows at once, A along k, B along k
// (B_ROW 1), K and strides multiples of 32. Several products at once: lib/group_columns.wgsl (GROUP).
// Buffers: 0 c, 1 a, 4-7 B through lib/run_*.wgsl. Threads: workgroup x over TILE_N columns; THREADS / TILE_N invocations share a column, each takes runs of 32
// terms, and their sums are added up in order.
#include "lib/group_{GROUP}.wgsl"
#include "lib/c_scalar.wgsl"
#include "lib/run_{B_READER}.wgsl"

const LANES: u32 = THREADS / TILE_N;
var<workgroup> partial: array<f32, ROWS * THREADS>;

fn a_k(e: u32) -> u32 {
  return 0u;
}

fn a_row(e: u32, m0: u32) -> u32 {
  return 0u;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  begin_run(t);
  let n0 = first_column(group.x);
  let lane = t % LANES;
  let row = B_OFFSET + min(n0 + t / LANES, member_n - 1u) * B_COLUMN;
#repeat r ROWS
  var sum$r = 0.0;
#end
  for (var k = lane * 32u; k < K; k += LANES * 32u) {
    let scale = run_scale(row + k);
#repeat r ROWS
    var run$r = vec4f();
#end
#repeat q FOURS
    {
      let four = run_four(row + k, $qu);
#repeat r ROWS
      run$r = fma(four, a[(A_OFFSET + $ru * A_ROW + k) / 4u + $qu], run$r);
#end
    }
#end
#repeat r ROWS
    sum$r = fma(scale, run$r.x + run$r.y + run$r.z + run$r.w, sum$r);
#end
  }
#repeat r ROWS
  partial[$ru * THREADS + t] = sum$r;
#end
  workgroupBarrier();
  for (var e = t; e < ROWS * TILE_N; e += THREADS) {
    let first = e / TILE_N * THREADS + e % TILE_N * LANES;
    var sum = 0.0;
    for (var l = 0u; l < LANES; l++) {
      sum += partial[first + l];
    }
    store(e / TILE_N, n0 + e % TILE_N, 0u, sum);
  }
}
