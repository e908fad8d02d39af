// The product of matmul_direct.wgsl for a few rows of A, as in generation, where reading B is all there is to do: ROWS = M rows at once, A along k, B along k
// (B_ROW 1), K and strides multiples of 32. Several products at once: lib/group_columns.wgsl (GROUP).
// Buffers: 0 c, 1 a, 4-7 B through lib/run_*.wgsl. Threads: workgroup x over TILE_N columns; 32 neighbours share PER_N of them and take
// stretches of 1024 terms together, 32 each; their sums are added up in order.
#include "lib/group_{GROUP}.wgsl"
#include "lib/c_scalar.wgsl"
#include "lib/run_{B_READER}.wgsl"

const LANES: u32 = 32u;
var<workgroup> partial: array<f32, PER_N * THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  begin_run(t);
  let n0 = first_column(group.x);
  let lane = t % LANES;
#repeat c PER_N
  let row$c = B_OFFSET + min(n0 + t / LANES * PER_N + $cu, member_n - 1u) * B_COLUMN;
#repeat r ROWS
  var sum$r_$c = 0.0;
#end
#end
  for (var k = 0u; k < K; k += LANES * 32u) {
#repeat c PER_N
    let scale$c = run_scale(row$c + k, lane);
#repeat r ROWS
    var run$r_$c = vec4f();
#end
#end
#repeat q FOURS
    if (k + term_of(lane, $qu) < K) {
      let at = k + term_of(lane, $qu);
#repeat c PER_N
      let four$c = run_four(row$c + at);
#end
#repeat r ROWS
      let left$r = a[(A_OFFSET + $ru * A_ROW + at) / 4u];
#repeat c PER_N
      run$r_$c = fma(four$c, left$r, run$r_$c);
#end
#end
    }
#end
#repeat r ROWS
#repeat c PER_N
    sum$r_$c = fma(scale$c, run$r_$c.x + run$r_$c.y + run$r_$c.z + run$r_$c.w, sum$r_$c);
#end
#end
  }
#repeat r ROWS
#repeat c PER_N
  partial[(t / LANES * PER_N + $cu) * LANES + lane] = sum$r_$c;
#end
  workgroupBarrier();
  if (t < TILE_N) {
    var total = 0.0;
    for (var l = 0u; l < LANES; l++) {
      total += partial[t * LANES + l];
    }
    store($ru, n0 + t, 0u, total);
  }
  workgroupBarrier();
#end
}
