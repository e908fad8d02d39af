// Several dequantisations of NF4 tensors at once, each what dequantize_nf4_transposed.wgsl (TRANSPOSED) or
// dequantize_nf4_words.wgsl computes of buffers of its own: source s of SOURCES is written to y from scalar
// OUT<s> on. Scales are quantised themselves (lib/weight/nf4_scales.wgsl, WEIGHT_KIND nf4).
// Buffers: y, f32 or f16 (TILE_F16); packed0, absmax_q0, nested0, packed1, …; weight_tables.
// Constants: SOURCES, TRANSPOSED, TILE_F16; of source s OUT<s>, a multiple of 8, and TILE<s>, the workgroups
//   of those before it. TRANSPOSED: rows N<s>, columns K<s>, ACROSS<s> workgroups along the rows; else
//   COUNT<s> elements. TENSORS share the buffers of their source; the rows or elements of source s count from
//   UNIT<s>. Of tensor g FIRST<g>: its first row or element; START<g>, BLOCK<g>, NESTED<g>: its first
//   element, scale and nested scale in the buffers.
// Threads: those of the two kernels, in one row of workgroups that is folded where it is too long.
#include "lib/tile.wgsl"
@group(0) @binding(7) var<storage, read> weight_tables: array<f32>;
#if TRANSPOSED
@group(0) @binding(0) var<storage, read_write> y: array<Scalar>;
#else
@group(0) @binding(0) var<storage, read_write> y: array<Tile>;
#endif
#repeat s SOURCES
@group(0) @binding(1$s) var<storage, read> packed$s: array<u32>;
@group(0) @binding(2$s) var<storage, read> absmax_q$s: array<u32>;
@group(0) @binding(3$s) var<storage, read> nested$s: array<f32>;
#endrepeat
var<workgroup> code_points: array<f32, 16>;

// Where the tensor lies that has this row or element: its first row or element, its first element in the
// buffers, its first scale and nested scale.
fn place_of(unit: u32) -> vec4u {
  var place = vec4u();
#repeat g TENSORS
  if (unit >= FIRST$g) {
    place = vec4u(FIRST$g, START$g, BLOCK$g, NESTED$g);
  }
#endrepeat
  return place;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  if (local < 16u) {
    code_points[local] = weight_tables[256u + local];
  }
  workgroupBarrier();
  let tile = group.y * groups.x + group.x;
#repeat s SOURCES
#if TRANSPOSED
  if (tile >= TILE$s && tile < TILE$s + ACROSS$s * (K$s / 64u)) {
    let n = (tile - TILE$s) % ACROSS$s * 64u + local;
    let column = (tile - TILE$s) / ACROSS$s;
    if (n < N$s) {
      let place = place_of(UNIT$s + n);
      let block = (UNIT$s + n - place.x) * (K$s / 64u) + column;
      let q = (absmax_q$s[(place.z + block) >> 2u] >> ((block & 3u) * 8u)) & 255u;
      let scale = nested$s[place.w] + weight_tables[q] * nested$s[place.w + 1u + (block >> 8u)];
      for (var w = 0u; w < 8u; w++) {
        let word = packed$s[place.y / 8u + block * 8u + w];
        let at = OUT$s + (column * 64u + w * 8u) * N$s + n;
        y[at] = Scalar(scale * code_points[(word >> 4u) & 15u]);
        y[at + N$s] = Scalar(scale * code_points[word & 15u]);
        y[at + 2u * N$s] = Scalar(scale * code_points[(word >> 12u) & 15u]);
        y[at + 3u * N$s] = Scalar(scale * code_points[(word >> 8u) & 15u]);
        y[at + 4u * N$s] = Scalar(scale * code_points[(word >> 20u) & 15u]);
        y[at + 5u * N$s] = Scalar(scale * code_points[(word >> 16u) & 15u]);
        y[at + 6u * N$s] = Scalar(scale * code_points[(word >> 28u) & 15u]);
        y[at + 7u * N$s] = Scalar(scale * code_points[(word >> 24u) & 15u]);
      }
    }
  }
#else
  if (tile >= TILE$s && (tile - TILE$s) * 512u < COUNT$s) {
    let i = (tile - TILE$s) * 64u + local;
    if (i < COUNT$s / 8u) {
      let place = place_of(UNIT$s + i * 8u);
      let own = i - (place.x - UNIT$s) / 8u;
      let word = packed$s[place.y / 8u + own];
      let block = own >> 3u;
      let q = (absmax_q$s[(place.z + block) >> 2u] >> ((block & 3u) * 8u)) & 255u;
      let scale = nested$s[place.w] + weight_tables[q] * nested$s[place.w + 1u + (block >> 8u)];
      let low = (vec4u(word) >> vec4u(4u, 0u, 12u, 8u)) & vec4u(15u);
      let high = (vec4u(word) >> vec4u(20u, 16u, 28u, 24u)) & vec4u(15u);
      y[OUT$s / 4u + 2u * i] = Tile(
        scale * vec4f(code_points[low.x], code_points[low.y], code_points[low.z], code_points[low.w]),
      );
      y[OUT$s / 4u + 2u * i + 1u] = Tile(
        scale * vec4f(code_points[high.x], code_points[high.y], code_points[high.z], code_points[high.w]),
      );
    }
  }
#endif
#endrepeat
}
