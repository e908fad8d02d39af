// y_g[t, n] += bias_g[n] for PROJECTIONS values of ROWS rows, in place. Of projection g: SIZE columns, after FIRST columns of those before it; its bias begins at
// element START of the buffer that they share. Buffers: 4-7 biases, 10, 11, ... y_g [ROWS, SIZE]. Threads: one invocation an element.
#include "lib/grid.wgsl"
#include "lib/weight/element.wgsl"
#repeat g PROJECTIONS
@group(0) @binding(1$g) var<storage, read_write> y$g: array<f32>;
#endrepeat

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = flat_index(group, groups, local, 64u);
#repeat g PROJECTIONS
  if (i >= ROWS * FIRST$g && i < ROWS * (FIRST$g + SIZE$g)) {
    let own = i - ROWS * FIRST$g;
    y$g[own] += weight_at(START$g + own % SIZE$g);
  }
#endrepeat
}
