// LoRA (arXiv:2106.09685) for the PROJECTIONS projections of one input, both products in one dispatch:
//   down[t, m] = adapter_scale[t] sum_k x[t, k] a[m, k]
//   y_g[t, n] += ALPHA sum_r down[t, g RANK + r] b[FIRST<g> + n, r]
// Without HAS_UP only down is made. RANK = 4 RANK_QUADS; WIDTH is a multiple of 4.
// Buffers: y0, y1, y2 [T, OUT<g>], read and written; down [T, RANKS]; x [T, WIDTH]; a [RANKS, WIDTH]; where
//   HAS_UP, b [., RANK], one projection's rows after the other's; where HAS_ADAPTER_SCALE, adapter_scale [T].
// Constants: T, WIDTH, RANKS (of all projections), RANK_QUADS, ALPHA, and of projection g OUT<g>, FIRST<g>.
//   TOKENS: rows a workgroup. TOKENS_PER_THREAD, QUADS_PER_THREAD, RANK_GROUPS and those of
//   lib/lora/lane_sums.wgsl: see Threads. BLOCKS: blocks of 128 columns of all projections; BLOCKS<g>: of
//   those before projection g. UNROLLED: quads of a row of b that are read at once.
// Threads: a workgroup makes TOKENS rows. First an invocation sums TOKENS_PER_THREAD rows by 4
//   QUADS_PER_THREAD ranks over every LANES-th vec4 of k. Then a subgroup of 32 takes 128 columns of y, each
//   of its invocations every 32nd.
#include "lib/lora/lane_sums.wgsl"
#repeat g PROJECTIONS
@group(0) @binding($g) var<storage, read_write> y$g: array<f32>;
#endrepeat
@group(0) @binding(3) var<storage, read_write> down: array<vec4f>;
@group(0) @binding(4) var<storage, read> x: array<vec4f>;
@group(0) @binding(5) var<storage, read> a: array<vec4f>;
#if HAS_UP
@group(0) @binding(6) var<storage, read> b: array<vec4f>;
#endif
#if HAS_ADAPTER_SCALE
@group(0) @binding(7) var<storage, read> adapter_scale: array<f32>;
#endif

var<workgroup> down_tile: array<vec4f, TOKENS * (RANKS / 4)>;

fn store_down(t0: u32, row: u32, quad: u32, sum: vec4f) {
  var value = sum;
#if HAS_ADAPTER_SCALE
  value *= adapter_scale[min(t0 + row, T - 1u)];
#endif
  if (t0 + row < T) {
    down[(t0 + row) * (RANKS / 4u) + quad] = value;
  }
  down_tile[row * (RANKS / 4u) + quad] = ALPHA * value;
}

fn dot_add(p: vec4f, q: vec4f, sum: f32) -> f32 {
  return fma(p.w, q.w, fma(p.z, q.z, fma(p.y, q.y, fma(p.x, q.x, sum))));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let t0 = group.x * TOKENS;
  let lane = local % LANES;
  let tile = local / LANES;
  let row = t0 + (tile / RANK_GROUPS) * TOKENS_PER_THREAD;
  let rank = (tile % RANK_GROUPS) * QUADS_PER_THREAD * 4u;
  let first_quad = 0u;
#repeat t TOKENS_PER_THREAD
  let row$t = min(row + $tu, T - 1u) * (WIDTH / 4u);
#repeat j QUADS_PER_THREAD
  var sum$t_$j = vec4f();
#endrepeat
#endrepeat
  for (var k = lane; k < WIDTH / 4u; k += LANES) {
#repeat t TOKENS_PER_THREAD
    let x$t = x[row$t + k];
#endrepeat
#repeat j QUADS_PER_THREAD
    let a$j_0 = a[(rank + $ju * 4u) * (WIDTH / 4u) + k];
    let a$j_1 = a[(rank + $ju * 4u + 1u) * (WIDTH / 4u) + k];
    let a$j_2 = a[(rank + $ju * 4u + 2u) * (WIDTH / 4u) + k];
    let a$j_3 = a[(rank + $ju * 4u + 3u) * (WIDTH / 4u) + k];
#endrepeat
#repeat t TOKENS_PER_THREAD
#repeat j QUADS_PER_THREAD
    sum$t_$j = vec4f(
      dot_add(x$t, a$j_0, sum$t_$j.x),
      dot_add(x$t, a$j_1, sum$t_$j.y),
      dot_add(x$t, a$j_2, sum$t_$j.z),
      dot_add(x$t, a$j_3, sum$t_$j.w),
    );
#endrepeat
#endrepeat
  }
#include "lib/lora/store_down.wgsl"
#if HAS_UP
  workgroupBarrier();
  for (var block = local / 32u; block < BLOCKS; block += THREADS / 32u) {
#repeat g PROJECTIONS
    if (block >= BLOCKS$g && (block - BLOCKS$g) * 128u < OUT$g) {
      let n = (block - BLOCKS$g) * 128u + local % 32u;
#repeat t TOKENS
      var sum$t: vec4f;
#repeat c 4
      sum$t[$cu] = y$g[min(t0 + $tu, T - 1u) * OUT$g + n + $cu * 32u];
#endrepeat
#endrepeat
      for (var q = 0u; q < RANK_QUADS; q += UNROLLED) {
#repeat u UNROLLED
#repeat c 4
        let b$u_$c = b[(FIRST$g + n + $cu * 32u) * RANK_QUADS + q + $uu];
#endrepeat
#endrepeat
#repeat u UNROLLED
#repeat t TOKENS
        let d$u_$t = down_tile[$tu * (RANKS / 4u) + $gu * RANK_QUADS + q + $uu];
        sum$t = vec4f(
          dot_add(d$u_$t, b$u_0, sum$t.x),
          dot_add(d$u_$t, b$u_1, sum$t.y),
          dot_add(d$u_$t, b$u_2, sum$t.z),
          dot_add(d$u_$t, b$u_3, sum$t.w),
        );
#endrepeat
#endrepeat
      }
#repeat t TOKENS
      if (t0 + $tu < T) {
#repeat c 4
        if (n + $cu * 32u < OUT$g) {
          y$g[(t0 + $tu) * OUT$g + n + $cu * 32u] = sum$t[$cu];
        }
#endrepeat
      }
#endrepeat
    }
#endrepeat
  }
#endif
}
