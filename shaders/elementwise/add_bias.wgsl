// y_g[t, n] += bias_g[n] for PROJECTIONS values at once, in place.
// Buffers: y0, y1, … [ROWS, SIZE<g>]; the biases of all of them in one buffer, any kind
//   (lib/weight/element.wgsl).
// Constants: ROWS, WEIGHT_KIND. Projection g has SIZE<g> columns, which are columns FIRST<g> and on of all;
//   its bias begins at element START<g>.
// Threads: one invocation an element, projection after projection.
#include "lib/grid.wgsl"
#include "lib/weight/element.wgsl"
#repeat g PROJECTIONS
@group(0) @binding(1$g) var<storage, read_write> y$g: array<f32>;
#endrepeat

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
#repeat g PROJECTIONS
  if (i >= ROWS * FIRST$g && i < ROWS * (FIRST$g + SIZE$g)) {
    let own = i - ROWS * FIRST$g;
    y$g[own] += weight_at(START$g + own % SIZE$g);
  }
#endrepeat
}
