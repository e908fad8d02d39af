// The second product of lora.wgsl for a few rows: y_g[t, n] += ALPHA sum_r down[t, g RANK + r] b[FIRST + n, r] for each of GROUPS projections.
// RANK = 4 QUARTERS; ROWS = T.
// Buffers: 0-2 y_g [T, OUT], 4 down [T, RANKS], 6 b, one projection's rows after the other's, [., RANK].
// Threads: an invocation makes a column of y in all rows. BLOCKS0, ...: workgroups of 64 columns before each projection.
#repeat g GROUPS
@group(0) @binding($g) var<storage, read_write> y_$g: array<f32>;
#end
@group(0) @binding(4) var<storage, read> down: array<vec4f>;
@group(0) @binding(6) var<storage, read> b: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
#repeat g GROUPS
  if (group.x >= BLOCKS$g && (group.x - BLOCKS$g) * 64u + local < OUT$g) {
    let n = (group.x - BLOCKS$g) * 64u + local;
#repeat t ROWS
    var sum$t = vec4f();
#end
    for (var q = 0u; q < QUARTERS; q += UNROLLED) {
#repeat u UNROLLED
      let b$u = b[(FIRST$g + n) * QUARTERS + q + $uu];
#end
#repeat u UNROLLED
#repeat t ROWS
      sum$t = fma(down[$tu * (RANKS / 4u) + $gu * QUARTERS + q + $uu], b$u, sum$t);
#end
#end
    }
#repeat t ROWS
    y_$g[$tu * OUT$g + n] += ALPHA * (sum$t.x + sum$t.y + sum$t.z + sum$t.w);
#end
  }
#end
}
