// What flows back through LoRA, for the PROJECTIONS projections of one input:
//   d_down[t, g RANK + r] = ALPHA sum_n dy_g[t, n] b[FIRST<g> + n, r]
//   dx[t, k] = sum_m d_down[t, m] a[m, k]  where HAS_DX
// RANK = 4 RANK_QUADS; WIDTH and OUT<g> are multiples of 4.
// Buffers: dy0, dy1, dy2 [T, OUT<g>]; d_down [T, RANKS]; b [., RANK], one projection's rows after the
//   other's; where HAS_DX, a [RANKS, WIDTH] and dx [T, WIDTH].
// Constants: those of lora_forward.wgsl but BLOCKS and UNROLLED.
// Threads: those of lora_forward.wgsl, with one quad of ranks an invocation; then an invocation takes every
//   THREADS-th vec4 of dx.
#include "lib/lora/lane_sums.wgsl"
#repeat g PROJECTIONS
@group(0) @binding($g) var<storage, read> dy$g: array<vec4f>;
#endrepeat
@group(0) @binding(3) var<storage, read_write> d_down: array<vec4f>;
@group(0) @binding(4) var<storage, read> b: array<vec4f>;
#if HAS_DX
@group(0) @binding(5) var<storage, read> a: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> dx: array<vec4f>;
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
