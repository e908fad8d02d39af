// The second product of lora_forward.wgsl for some rows, as in generation: y_g[t, n] += ALPHA sum_r down[t,
// g RANK + r] b[FIRST<g> + n, r] for each of PROJECTIONS projections. RANK = 4 RANK_QUADS.
// Buffers: y0, y1, y2 [T, OUT<g>], read and written; down [T, RANKS]; b [., RANK], one projection's rows
//   after the other's.
// Constants: RANKS, RANK_QUADS, ALPHA, those of lib/row_groups.wgsl, and of projection g OUT<g>, FIRST<g> and
//   BLOCKS<g>, the workgroups before it. UNROLLED: quads of a row of b that are read at once.
// Threads: an invocation makes a column of y in ROWS rows; workgroup x over 64 columns, y over ROWS rows.
#include "lib/row_groups.wgsl"
#repeat g PROJECTIONS
@group(0) @binding($g) var<storage, read_write> y$g: array<f32>;
#endrepeat
@group(0) @binding(4) var<storage, read> down: array<vec4f>;
@group(0) @binding(6) var<storage, read> b: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  choose_rows(group.y);
#repeat g PROJECTIONS
  if (group.x >= BLOCKS$g && (group.x - BLOCKS$g) * 64u + local < OUT$g) {
    let n = (group.x - BLOCKS$g) * 64u + local;
#repeat t ROWS
    var sum$t = vec4f();
#endrepeat
    for (var q = 0u; q < RANK_QUADS; q += UNROLLED) {
#repeat u UNROLLED
      let b$u = b[(FIRST$g + n) * RANK_QUADS + q + $uu];
#endrepeat
#repeat u UNROLLED
#repeat t ROWS
      sum$t = fma(down[row_at($tu) * (RANKS / 4u) + $gu * RANK_QUADS + q + $uu], b$u, sum$t);
#endrepeat
#endrepeat
    }
#repeat t ROWS
    if (has_row($tu)) {
      y$g[row_at($tu) * OUT$g + n] += ALPHA * (sum$t.x + sum$t.y + sum$t.z + sum$t.w);
    }
#endrepeat
  }
#endrepeat
}
