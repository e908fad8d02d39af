// down[t, m] = adapter_scale[t] sum_k x[t, k] a[m, k], and y_g[t, n] += ALPHA sum_r down[t, g RANK + r] b[FIRST + n, r] for each of GROUPS projections (none:
// down alone). RANK = 4 QUARTERS; WIDTH is a multiple of 4.
// Buffers: 0-2 y_g [T, OUT], 3 down [T, RANKS], 4 x [T, WIDTH], 5 a [RANKS, WIDTH], 6 b, one projection's rows after the other's, [., RANK],
// 7 adapter_scale [T] where ADAPTER_SCALES is 1.
// Threads: a workgroup makes TOKENS rows. First an invocation sums PER_TOKENS rows by 4 PER_QUADS ranks over every LANES-th four of k; then a warp of 32
// takes 128 columns of y, each of its invocations every 32nd. BLOCKS0, ...: such columns before each projection, BLOCKS of all.
#include "lib/lora_lanes.wgsl"
#repeat g GROUPS
@group(0) @binding($g) var<storage, read_write> y_$g: array<f32>;
#end
@group(0) @binding(3) var<storage, read_write> down: array<vec4f>;
@group(0) @binding(4) var<storage, read> x: array<vec4f>;
@group(0) @binding(5) var<storage, read> a: array<vec4f>;
#repeat u UPS
@group(0) @binding(6) var<storage, read> b: array<vec4f>;
#end
#repeat s ADAPTER_SCALES
@group(0) @binding(7) var<storage, read> adapter_scale: array<f32>;
#end

var<workgroup> kept: array<vec4f, TOKENS * (RANKS / 4)>;

fn keep(t0: u32, row: u32, quad: u32, sum: vec4f) {
  var value = sum;
#repeat s ADAPTER_SCALES
  value *= adapter_scale[min(t0 + row, T - 1u)];
#end
  if (t0 + row < T) {
    down[(t0 + row) * (RANKS / 4u) + quad] = value;
  }
  kept[row * (RANKS / 4u) + quad] = ALPHA * value;
}

fn dot_add(p: vec4f, q: vec4f, sum: f32) -> f32 {
  return fma(p.w, q.w, fma(p.z, q.z, fma(p.y, q.y, fma(p.x, q.x, sum))));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let t0 = group.x * TOKENS;
  let lane = local % LANES;
  let tile = local / LANES;
  let row = t0 + (tile / RANK_GROUPS) * PER_TOKENS;
  let rank = (tile % RANK_GROUPS) * PER_QUADS * 4u;
  let first_quad = 0u;
#repeat t PER_TOKENS
  let row$t = min(row + $tu, T - 1u) * (WIDTH / 4u);
#repeat j PER_QUADS
  var sum$t_$j = vec4f();
#end
#end
  for (var k = lane; k < WIDTH / 4u; k += LANES) {
#repeat t PER_TOKENS
    let x$t = x[row$t + k];
#end
#repeat j PER_QUADS
    let a$j_0 = a[(rank + $ju * 4u) * (WIDTH / 4u) + k];
    let a$j_1 = a[(rank + $ju * 4u + 1u) * (WIDTH / 4u) + k];
    let a$j_2 = a[(rank + $ju * 4u + 2u) * (WIDTH / 4u) + k];
    let a$j_3 = a[(rank + $ju * 4u + 3u) * (WIDTH / 4u) + k];
#end
#repeat t PER_TOKENS
#repeat j PER_QUADS
    sum$t_$j = vec4f(dot_add(x$t, a$j_0, sum$t_$j.x), dot_add(x$t, a$j_1, sum$t_$j.y), dot_add(x$t, a$j_2, sum$t_$j.z), dot_add(x$t, a$j_3, sum$t_$j.w));
#end
#end
  }
#include "lib/lora_kept.wgsl"
#repeat p UPS
  workgroupBarrier();
  for (var block = local / 32u; block < BLOCKS; block += THREADS / 32u) {
#repeat g GROUPS
    if (block >= BLOCKS$g && (block - BLOCKS$g) * 128u < OUT$g) {
      let n = (block - BLOCKS$g) * 128u + local % 32u;
#repeat t TOKENS
      var sum$t: vec4f;
#repeat c COLUMNS
      sum$t[$cu] = y_$g[min(t0 + $tu, T - 1u) * OUT$g + n + $cu * 32u];
#end
#end
      for (var q = 0u; q < QUARTERS; q += UNROLLED) {
#repeat u UNROLLED
#repeat c COLUMNS
        let b$u_$c = b[(FIRST$g + n + $cu * 32u) * QUARTERS + q + $uu];
#end
#end
#repeat u UNROLLED
#repeat t TOKENS
        let d$u_$t = kept[$tu * (RANKS / 4u) + $gu * QUARTERS + q + $uu];
        sum$t = vec4f(dot_add(d$u_$t, b$u_0, sum$t.x), dot_add(d$u_$t, b$u_1, sum$t.y), dot_add(d$u_$t, b$u_2, sum$t.z), dot_add(d$u_$t, b$u_3, sum$t.w));
#end
#end
      }
#repeat t TOKENS
      if (t0 + $tu < T) {
#repeat c COLUMNS
        if (n + $cu * 32u < OUT$g) {
          y_$g[(t0 + $tu) * OUT$g + n + $cu * 32u] = sum$t[$cu];
        }
#end
      }
#end
    }
#end
  }
#end
}
