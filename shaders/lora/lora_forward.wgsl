// LoRA (arXiv:2106.09685) for the PROJECTIONS projections of one input, both products in one dispatch:
//   down[t, m] = adapter_scale[t] sum_k x[t, k] a[m, k]
//   y_g[t, n] += ALPHA sum_r down[t, g RANK + r] b[FIRST<g> + n, r]
// Without HAS_UP only down is made. RANK = 4 RANK_QUADS; WIDTH is a multiple of 4. What follows is computed
// too where THEN says so:
//   gated     gated = activation(y0) y1
//   add_norm  y0 += residual, then normed = RMSNorm(y0), as in rms_norm.wgsl
//   rope      heads of the first ROTATED projections are rotated (lib/lora/rotation.wgsl)
// Where PARTS, the y<g> hold nothing yet: what they would hold is the sum of so many parts.
// Buffers: y0, y1, y2 [T, OUT<g>], read and written; down [T, RANKS]; x [T, WIDTH]; a [RANKS, WIDTH]; where
//   HAS_UP, b [., RANK], one projection's rows after the other's; where HAS_ADAPTER_SCALE, adapter_scale [T].
//   Where PARTS, partial, as in split_k_reduce_vec4.wgsl.
//   By THEN: gated [T, OUT0]; residual, normed [T, OUT0] and the weight of the norm [OUT0], any kind
//   (lib/weight/element.wgsl); those of lib/lora/rotation.wgsl.
// Constants: T, WIDTH, RANKS (of all projections), RANK_QUADS, ALPHA, and of projection g OUT<g>, FIRST<g>.
//   TOKENS: rows a workgroup. TOKENS_PER_THREAD, QUADS_PER_THREAD, RANK_GROUPS and those of
//   lib/lora/lane_sums.wgsl: see Threads. BLOCKS: blocks of 128 columns of all projections; BLOCKS<g>: of
//   those before projection g; where THEN is gated, one of both. UNROLLED: quads of a row of b that are read
//   at once. By THEN: ACTIVATION and VECTOR_WIDTH 1; EPS, UNIT_OFFSET, WEIGHT_KIND and TOKEN_QUADS, which is
//   ceil(TOKENS / 4); those of lib/lora/rotation.wgsl.
// Threads: a workgroup makes TOKENS rows. First an invocation sums TOKENS_PER_THREAD rows by 4
//   QUADS_PER_THREAD ranks over every LANES-th vec4 of k. Then a subgroup of 32 takes 128 columns of y, each
//   of its invocations every 32nd. What follows is divided among all invocations of the workgroup.
#include "lib/lora/lane_sums.wgsl"
#if THEN == gated
#include "lib/elementwise/activation.wgsl"
@group(0) @binding(14) var<storage, read_write> gated: array<f32>;
#elif THEN == add_norm
#include "lib/lora/workgroup_sum.wgsl"
#include "lib/weight/element.wgsl"
@group(0) @binding(14) var<storage, read_write> normed: array<f32>;
@group(0) @binding(15) var<storage, read> residual: array<f32>;
#elif THEN == rope
alias Rotated = f32;
#include "lib/lora/rotation.wgsl"
#endif
#repeat g PROJECTIONS
@group(0) @binding($g) var<storage, read_write> y$g: array<f32>;
#endrepeat
@group(0) @binding(3) var<storage, read_write> down: array<vec4f>;
@group(0) @binding(10) var<storage, read> x: array<vec4f>;
@group(0) @binding(11) var<storage, read> a: array<vec4f>;
#if HAS_UP
@group(0) @binding(12) var<storage, read> b: array<vec4f>;
#endif
#if HAS_ADAPTER_SCALE
@group(0) @binding(13) var<storage, read> adapter_scale: array<f32>;
#endif
#if PARTS
@group(0) @binding(16) var<storage, read> partial: array<f32>;

// The i-th element of [T, width]: the sum of its parts, of which the first is the first-th of all elements.
fn parts_sum(first: u32, width: u32, i: u32) -> f32 {
  var sum = 0.0;
#repeat z PARTS
  sum += partial[first + $zu * (T * width) + i];
#endrepeat
  return sum;
}
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
#if THEN == add_norm
#repeat q TOKEN_QUADS
  var squares$q = vec4f();
#endrepeat
#endif
  for (var block = local / 32u; block < BLOCKS; block += THREADS / 32u) {
#repeat g PROJECTIONS
    if (block >= BLOCKS$g && (block - BLOCKS$g) * 128u < OUT$g) {
      let n = (block - BLOCKS$g) * 128u + local % 32u;
#repeat t TOKENS
      var sum$t: vec4f;
#repeat c 4
#if PARTS
      sum$t[$cu] = parts_sum(PARTS * T * FIRST$g, OUT$g, min(t0 + $tu, T - 1u) * OUT$g + n + $cu * 32u);
#else
      sum$t[$cu] = y$g[min(t0 + $tu, T - 1u) * OUT$g + n + $cu * 32u];
#endif
#if THEN == add_norm
      sum$t[$cu] += residual[min(t0 + $tu, T - 1u) * OUT$g + n + $cu * 32u];
#endif
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
#if THEN == add_norm
          squares$(t/4)[$(t%4)] += sum$t[$cu] * sum$t[$cu];
#endif
        }
#endrepeat
      }
#endrepeat
    }
#endrepeat
#if THEN == gated
    // Each invocation reads what it has just written. All rows are read before one is written, because the
    // compiler does not know that the buffers differ.
#repeat c 4
    {
      let n = block * 128u + local % 32u + $cu * 32u;
#repeat t TOKENS
      let e$t = min(t0 + $tu, T - 1u) * OUT0 + min(n, OUT0 - 1u);
      let gate$t = y0[e$t];
      let up$t = y1[e$t];
#endrepeat
#repeat t TOKENS
      if (t0 + $tu < T && n < OUT0) {
        gated[e$t] = activation(gate$t) * up$t;
      }
#endrepeat
    }
#endrepeat
#endif
  }
#if THEN == add_norm
  storageBarrier();
#repeat q TOKEN_QUADS
  let scales$q = 1.0 / sqrt(workgroup_sum(local, squares$q) / f32(OUT0) + EPS);
#endrepeat
  for (var n = local; n < OUT0; n += THREADS) {
    let weight = UNIT_OFFSET + weight_at(n);
#repeat t TOKENS
    let value$t = y0[min(t0 + $tu, T - 1u) * OUT0 + n];
#endrepeat
#repeat t TOKENS
    if (t0 + $tu < T) {
      normed[(t0 + $tu) * OUT0 + n] = value$t * scales$(t/4)[$(t%4)] * weight;
    }
#endrepeat
  }
#elif THEN == rope
  storageBarrier();
#repeat g ROTATED
  for (var pair = local; pair < HEADS$g * PAIRS; pair += THREADS) {
    let i = pair % PAIRS;
    let low = pair / PAIRS * HEAD_DIM + i;
#repeat t TOKENS
    let e$t = min(t0 + $tu, T - 1u) * OUT$g + low;
    let pair$t = rotate(min(t0 + $tu, T - 1u), i, y$g[e$t], y$g[e$t + PAIRS]);
#endrepeat
#repeat t TOKENS
    if (t0 + $tu < T) {
      y$g[e$t] = pair$t.low;
      y$g[e$t + PAIRS] = pair$t.high;
    }
#endrepeat
  }
#endrepeat
#endif
#endif
}
