// What flows back through LoRA, for the PROJECTIONS projections of one input:
//   d_down[t, g RANK + r] = ALPHA sum_n dy_g[t, n] b[FIRST<g> + n, r]
//   dx[t, k] = sum_m d_down[t, m] a[m, k]  where HAS_DX
// RANK = 4 RANK_QUADS; WIDTH and OUT<g> are multiples of 4. What makes the dy<g> is computed before where
// AHEAD says so, and they are written:
//   gated_dx  dy0 = d_gated activation'(gate) up, dy1 = d_gated activation(gate); where IN_PLACE, dy0 and dy1
//             hold gate and up before
//   norm_dx   dy0 = the gradient of RMSNorm, as in rms_norm_dx.wgsl, added to dy0 where ACCUMULATE; where
//             PARTS, what reaches the norm is d_normed and the sum of so many parts
//   rope      heads of the first WRITTEN projections are rotated (lib/lora/rotation.wgsl)
// Buffers: dy0, dy1, dy2 [T, OUT<g>]; d_down [T, RANKS]; b [., RANK], one projection's rows after the
//   other's; where HAS_DX, a [RANKS, WIDTH] and dx [T, WIDTH]. By AHEAD: d_gated and, but where IN_PLACE,
//   gate and up [T, OUT0]; norm_x and d_normed [T, OUT0] and the weight of the norm [OUT0], any kind
//   (lib/weight/vec4.wgsl), where PARTS partial [PARTS, T, OUT0]; those of lib/lora/rotation.wgsl.
// Constants: those of lora_forward.wgsl but BLOCKS, UNROLLED and THEN; VECTOR_WIDTH is 4. WRITTEN: how many
//   of the dy<g>, the first ones, are written; LAST_IS_READ: the third is not. ROWS_AT_ONCE: up to four of
//   TOKENS.
// Threads: those of lora_forward.wgsl, with one quad of ranks an invocation; then an invocation takes every
//   THREADS-th vec4 of dx. What comes before is divided among all invocations of the workgroup.
#include "lib/lora/lane_sums.wgsl"
#repeat g WRITTEN
@group(0) @binding($g) var<storage, read_write> dy$g: array<vec4f>;
#endrepeat
#if WRITTEN == 0
#repeat g PROJECTIONS
@group(0) @binding($g) var<storage, read> dy$g: array<vec4f>;
#endrepeat
#elif LAST_IS_READ
@group(0) @binding(2) var<storage, read> dy2: array<vec4f>;
#endif
#if AHEAD == gated_dx
#include "lib/elementwise/activation.wgsl"
@group(0) @binding(14) var<storage, read> d_gated: array<vec4f>;
#if IN_PLACE
#else
@group(0) @binding(15) var<storage, read> gate: array<vec4f>;
@group(0) @binding(16) var<storage, read> up: array<vec4f>;
#endif
#elif AHEAD == norm_dx
#include "lib/lora/workgroup_sum.wgsl"
#include "lib/weight/vec4.wgsl"
@group(0) @binding(14) var<storage, read> norm_x: array<vec4f>;
@group(0) @binding(15) var<storage, read> d_normed: array<vec4f>;
#if PARTS
@group(0) @binding(16) var<storage, read> partial: array<vec4f>;
#endif

fn d_normed_at(i: u32) -> vec4f {
#if PARTS
  var sum = vec4f();
#repeat z PARTS
  sum += partial[$zu * (T * (OUT0 / 4u)) + i];
#endrepeat
  return d_normed[i] + sum;
#else
  return d_normed[i];
#endif
}
#elif AHEAD == rope
alias Rotated = vec4f;
#include "lib/lora/rotation.wgsl"
#endif
@group(0) @binding(3) var<storage, read_write> d_down: array<vec4f>;
@group(0) @binding(10) var<storage, read> b: array<vec4f>;
#if HAS_DX
@group(0) @binding(11) var<storage, read> a: array<vec4f>;
@group(0) @binding(12) var<storage, read_write> dx: array<vec4f>;
#endif

var<workgroup> d_down_tile: array<vec4f, TOKENS * (RANKS / 4)>;

fn store_down(t0: u32, row: u32, quad: u32, sum: vec4f) {
  let value = ALPHA * sum;
  if (t0 + row < T) {
    d_down[(t0 + row) * (RANKS / 4u) + quad] = value;
  }
  d_down_tile[row * (RANKS / 4u) + quad] = value;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let t0 = group.x * TOKENS;
  // Quads of ranks lie side by side in b, so that neighbours read neighbouring ones.
  let inner = local % RANK_GROUPS;
  let lane = (local / RANK_GROUPS) % LANES;
  let outer = local / (RANK_GROUPS * LANES);
  let tile = outer * RANK_GROUPS + inner;
  let row = t0 + outer * TOKENS_PER_THREAD;
  // Some rows are read before one is written, because the compiler does not know that the buffers differ.
#if AHEAD == gated_dx
  for (var k = local; k < OUT0 / 4u; k += THREADS) {
#repeat q TOKEN_QUADS
    {
#repeat t ROWS_AT_ONCE
      let e$t = min(t0 + $qu * 4u + $tu, T - 1u) * (OUT0 / 4u) + k;
#if IN_PLACE
      let gate$t = dy0[e$t];
      let up$t = dy1[e$t];
#else
      let gate$t = gate[e$t];
      let up$t = up[e$t];
#endif
      let slope$t = d_gated[e$t];
#endrepeat
#repeat t ROWS_AT_ONCE
      if (t0 + $qu * 4u + $tu < T) {
        dy0[e$t] = slope$t * activation_slope(gate$t) * up$t;
        dy1[e$t] = slope$t * activation(gate$t);
      }
#endrepeat
    }
#endrepeat
  }
  storageBarrier();
#elif AHEAD == norm_dx
#repeat q TOKEN_QUADS
  var squares$q = vec4f();
  var products$q = vec4f();
#endrepeat
  for (var k = local; k < OUT0 / 4u; k += THREADS) {
    let weight = UNIT_OFFSET + weight4_at(k * 4u);
#repeat t TOKENS
    {
      let e = min(t0 + $tu, T - 1u) * (OUT0 / 4u) + k;
      let value = norm_x[e];
      squares$(t/4)[$(t%4)] += dot(value, value);
      products$(t/4)[$(t%4)] += dot(value, d_normed_at(e) * weight);
    }
#endrepeat
  }
#repeat q TOKEN_QUADS
  let scales$q = 1.0 / sqrt(workgroup_sum(local, squares$q) / f32(OUT0) + EPS);
  let shrinks$q = scales$q * scales$q * workgroup_sum(local, products$q) / f32(OUT0);
#endrepeat
  for (var k = local; k < OUT0 / 4u; k += THREADS) {
    let weight = UNIT_OFFSET + weight4_at(k * 4u);
#repeat q TOKEN_QUADS
    {
#repeat t ROWS_AT_ONCE
      let e$t = min(t0 + $qu * 4u + $tu, T - 1u) * (OUT0 / 4u) + k;
#if ACCUMULATE
      let before$t = dy0[e$t];
#else
      let before$t = vec4f();
#endif
      let value$t = scales$q[$t] * (d_normed_at(e$t) * weight - norm_x[e$t] * shrinks$q[$t]);
#endrepeat
#repeat t ROWS_AT_ONCE
      if (t0 + $qu * 4u + $tu < T) {
        dy0[e$t] = before$t + value$t;
      }
#endrepeat
    }
#endrepeat
  }
  storageBarrier();
#elif AHEAD == rope
#repeat g WRITTEN
  for (var pair = local; pair < HEADS$g * PAIRS; pair += THREADS) {
    let i = pair % PAIRS;
    let low = pair / PAIRS * (HEAD_DIM / 4u) + i;
#repeat q TOKEN_QUADS
    {
#repeat t ROWS_AT_ONCE
      let token$t = min(t0 + $qu * 4u + $tu, T - 1u);
      let e$t = token$t * (OUT$g / 4u) + low;
      let pair$t = rotate(token$t, i, dy$g[e$t], dy$g[e$t + PAIRS]);
#endrepeat
#repeat t ROWS_AT_ONCE
      if (t0 + $qu * 4u + $tu < T) {
        dy$g[e$t] = pair$t.low;
        dy$g[e$t + PAIRS] = pair$t.high;
      }
#endrepeat
    }
#endrepeat
  }
#endrepeat
  storageBarrier();
#endif
#repeat g PROJECTIONS
  {
    let first_quad = $gu * RANK_QUADS;
#repeat t TOKENS_PER_THREAD
    let row$t = min(row + $tu, T - 1u) * (OUT$g / 4u);
    var sum$t_0 = vec4f();
#endrepeat
    for (var n = lane; n < OUT$g / 4u; n += LANES) {
      let b0 = b[(FIRST$g + n * 4u) * RANK_QUADS + inner];
      let b1 = b[(FIRST$g + n * 4u + 1u) * RANK_QUADS + inner];
      let b2 = b[(FIRST$g + n * 4u + 2u) * RANK_QUADS + inner];
      let b3 = b[(FIRST$g + n * 4u + 3u) * RANK_QUADS + inner];
#repeat t TOKENS_PER_THREAD
      let v$t = dy$g[row$t + n];
      sum$t_0 = fma(
        vec4f(v$t.w),
        b3,
        fma(vec4f(v$t.z), b2, fma(vec4f(v$t.y), b1, fma(vec4f(v$t.x), b0, sum$t_0))),
      );
#endrepeat
    }
#include "lib/lora/store_down.wgsl"
  }
#endrepeat
#if HAS_DX
  workgroupBarrier();
  for (var k = local; k < WIDTH / 4u; k += THREADS) {
#repeat t TOKENS
    var sum$t = vec4f();
#endrepeat
    for (var q = 0u; q < RANKS / 4u; q++) {
      let a0 = a[(q * 4u) * (WIDTH / 4u) + k];
      let a1 = a[(q * 4u + 1u) * (WIDTH / 4u) + k];
      let a2 = a[(q * 4u + 2u) * (WIDTH / 4u) + k];
      let a3 = a[(q * 4u + 3u) * (WIDTH / 4u) + k];
#repeat t TOKENS
      let v$t = d_down_tile[$tu * (RANKS / 4u) + q];
      sum$t = fma(
        vec4f(v$t.w),
        a3,
        fma(vec4f(v$t.z), a2, fma(vec4f(v$t.y), a1, fma(vec4f(v$t.x), a0, sum$t))),
      );
#endrepeat
    }
#repeat t TOKENS
    if (t0 + $tu < T) {
      dx[(t0 + $tu) * (WIDTH / 4u) + k] = sum$t;
    }
#endrepeat
  }
#endif
}
