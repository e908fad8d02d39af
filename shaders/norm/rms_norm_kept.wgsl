// rms_norm.wgsl where WIDTH is a multiple of 4: a workgroup reads its row once, all of it before anything is done. Buffers: as there.
// Threads: one workgroup a row; an invocation keeps FOURS vec4 of it.
#include "lib/row.wgsl"
#include "lib/weight4_{W_KIND}.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<storage, read> a: array<vec4f>;
#repeat s ADDS
@group(0) @binding(1) var<storage, read_write> sum: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;
#end

const WIDTH4: u32 = WIDTH / 4u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = row_of(group, groups, local);
  if (row >= ROWS) {
    return;
  }
  let start = row * WIDTH4;
#repeat f FOURS
  let at$f = local + $fu * WORKGROUP;
  let four$f = min(at$f, WIDTH4 - 1u);
  var value$f = a[start + four$f];
#repeat s ADDS
  value$f += b[start + four$f];
#end
  let weight$f = weight4_at(four$f * 4u);
#end
  var squares = vec4f();
#repeat f FOURS
  if (at$f < WIDTH4) {
#repeat s ADDS
    sum[start + at$f] = value$f;
#end
    squares = fma(value$f, value$f, squares);
  }
#end
  let scale = 1.0 / sqrt(row_sum(squares.x + squares.y + squares.z + squares.w, local) / f32(WIDTH) + EPS);
#repeat f FOURS
  if (at$f < WIDTH4) {
    y[start + at$f] = value$f * scale * (UNIT_OFFSET + weight$f);
  }
#end
}
