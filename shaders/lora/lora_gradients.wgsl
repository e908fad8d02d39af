// The gradients of LoRA's parameters, for the PROJECTIONS projections of one input:
//   db[FIRST<g> + n, r] += ALPHA sum_t dy_g[t, n] down[t, g RANK + r]
//   da[m, k] += sum_t d_down[t, m] x[t, k]
// RANK = 4 RANK_QUADS, RANKS = PROJECTIONS RANK; WIDTH and OUT<g> are multiples of 4.
// Buffers: source0, source1, … [T, OUT<s>], which are each dy_g and, as number PROJECTIONS, x; down, d_down
//   [T, RANKS]; db [., RANK], one projection's rows after the other's; da [RANKS, WIDTH], both read and
//   written.
// Constants: T, WIDTH, RANKS, RANK_QUADS, ALPHA, and of projection g OUT<g>, FIRST<g>. SOURCES = PROJECTIONS
//   + 1. STRIP: vec4 of columns of a strip. STRIPS<g>, STRIPS_X: strips before those of dy_g, of x.
//   TOKENS_AT_ONCE: tokens that an invocation reads before it multiplies. QUADS_PER_THREAD and those of
//   lib/lora/lane_sums.wgsl.
// Threads: a workgroup takes a strip of 4 STRIP columns of a source and the ranks of one projection; an
//   invocation 4 columns by 4 QUADS_PER_THREAD ranks of every LANES-th token. Workgroup x over the strips,
//   source by source, and for each strip of x one a projection.
#include "lib/lora/lane_sums.wgsl"
#repeat s SOURCES
@group(0) @binding($s) var<storage, read> source$s: array<vec4f>;
#endrepeat
@group(0) @binding(4) var<storage, read> down: array<vec4f>;
@group(0) @binding(5) var<storage, read> d_down: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> db: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> da: array<f32>;

fn narrow(of_x: bool, i: u32) -> vec4f {
  if (of_x) {
    return d_down[i];
  }
  return down[i];
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let lane = local / TILES;
  let tile = local % TILES;
  let of_x = group.x >= STRIPS_X;
  var projection = (group.x - STRIPS_X) % PROJECTIONS;
  var strip = (group.x - STRIPS_X) / PROJECTIONS;
  var row = 0u;
  var width = WIDTH;
#repeat g PROJECTIONS
  if (!of_x && group.x >= STRIPS$g) {
    projection = $gu;
    strip = group.x - STRIPS$g;
    row = FIRST$g;
    width = OUT$g;
  }
#endrepeat
  let column = min(strip * STRIP + tile % STRIP, width / 4u - 1u);
  let quad = projection * RANK_QUADS + (tile / STRIP) * QUADS_PER_THREAD;
#repeat j QUADS_PER_THREAD
  var sum$j_0 = vec4f();
  var sum$j_1 = vec4f();
  var sum$j_2 = vec4f();
  var sum$j_3 = vec4f();
#endrepeat
#repeat s SOURCES
  if (select(projection, PROJECTIONS, of_x) == $su) {
    for (var t = lane; t < T; t += LANES * TOKENS_AT_ONCE) {
      // All are read before the first is multiplied.
#repeat u TOKENS_AT_ONCE
      let t$u = min(t + $uu * LANES, T - 1u);
      let v$u = source$s[t$u * (OUT$s / 4u) + column];
#repeat j QUADS_PER_THREAD
      let n$u_$j = narrow($su == PROJECTIONS, t$u * (RANKS / 4u) + quad + $ju);
#endrepeat
#endrepeat
#repeat u TOKENS_AT_ONCE
      if (t + $uu * LANES < T) {
#repeat j QUADS_PER_THREAD
        sum$j_0 = fma(vec4f(v$u.x), n$u_$j, sum$j_0);
        sum$j_1 = fma(vec4f(v$u.y), n$u_$j, sum$j_1);
        sum$j_2 = fma(vec4f(v$u.z), n$u_$j, sum$j_2);
        sum$j_3 = fma(vec4f(v$u.w), n$u_$j, sum$j_3);
#endrepeat
      }
#endrepeat
    }
  }
#endrepeat
  // A round adds up one quad of ranks of the four columns, which are the four vectors.
  let owner = local % TILES;
  let n = (strip * STRIP + owner % STRIP) * 4u + local / TILES;
#repeat j QUADS_PER_THREAD
  lane_part[lane_slot(tile, lane)] = sum$j_0;
  lane_part[lane_slot(TILES + tile, lane)] = sum$j_1;
  lane_part[lane_slot(2u * TILES + tile, lane)] = sum$j_2;
  lane_part[lane_slot(3u * TILES + tile, lane)] = sum$j_3;
  let total$j = lane_sum(local);
  if (local < 4u * TILES && n < width) {
    let r = (owner / STRIP) * QUADS_PER_THREAD + $ju;
    if (of_x) {
      let m = (projection * RANK_QUADS + r) * 4u;
      da[m * WIDTH + n] += total$j.x;
      da[(m + 1u) * WIDTH + n] += total$j.y;
      da[(m + 2u) * WIDTH + n] += total$j.z;
      da[(m + 3u) * WIDTH + n] += total$j.w;
    } else {
      db[(row + n) * RANK_QUADS + r] += ALPHA * total$j;
    }
  }
#endrepeat
}
