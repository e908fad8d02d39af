// lora_down_skinny.wgsl of rows that are normalised first (RMSNorm, arXiv:1910.07467), which spares a few
// rows a dispatch. With v = x, or x + residual where HAS_ADD, which is written to sum:
//   y[t, k] = v[t, k] / sqrt(mean(v[t]^2) + EPS) (UNIT_OFFSET + w[k])
//   down[t, m] = adapter_scale[t] sum_k y[t, k] a[m, k]
// WIDTH is a multiple of 4.
// Buffers: y, x [T, WIDTH]; where HAS_ADD, sum and residual [T, WIDTH]; the weight w [WIDTH], any kind
//   (lib/weight/vec4.wgsl); a [RANKS, WIDTH]; down [T, RANKS]; where HAS_ADAPTER_SCALE, adapter_scale [T].
// Constants: T, WIDTH, RANKS, EPS, UNIT_OFFSET, HAS_ADD, WEIGHT_KIND; those of lib/row_groups.wgsl;
//   ROW_VECTORS, the fours of ROWS; FOURS, the vec4 of k that an invocation reads at once; those of
//   lib/lora/lane_sums.wgsl, where VECTORS is 2 ROW_VECTORS.
// Threads: workgroup (x, y) makes m = x of the y-th ROWS rows, four a vector; its invocations take every
//   LANES-th vec4 of k. Each workgroup sums the squares for itself, and writes its share of y and sum.
#include "lib/lora/lane_sums.wgsl"
#include "lib/row_groups.wgsl"
#include "lib/weight/vec4.wgsl"
@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
#if HAS_ADD
@group(0) @binding(1) var<storage, read_write> sum: array<vec4f>;
@group(0) @binding(3) var<storage, read> residual: array<vec4f>;
#endif
@group(0) @binding(8) var<storage, read> a: array<vec4f>;
@group(0) @binding(9) var<storage, read_write> down: array<f32>;
#if HAS_ADAPTER_SCALE
@group(0) @binding(10) var<storage, read> adapter_scale: array<f32>;
#endif

const WIDTH4: u32 = WIDTH / 4u;
var<workgroup> row_scale: array<vec4f, ROW_VECTORS>;

fn value_at(i: u32) -> vec4f {
#if HAS_ADD
  return x[i] + residual[i];
#else
  return x[i];
#endif
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  choose_rows(group.y);
#repeat q ROW_VECTORS
  var products$q = vec4f();
  var squares$q = vec4f();
#endrepeat
  for (var first = local; first < WIDTH4; first += FOURS * THREADS) {
#repeat f FOURS
    let k$f = min(first + $fu * THREADS, WIDTH4 - 1u);
    let inside$f = select(0.0, 1.0, first + $fu * THREADS < WIDTH4);
    let row$f = inside$f * a[group.x * WIDTH4 + k$f] * (UNIT_OFFSET + weight4_at(k$f * 4u));
#endrepeat
#repeat f FOURS
#repeat q ROW_VECTORS
    {
      let t = min(first_row + 4u * $qu + vec4u(0u, 1u, 2u, 3u), vec4u(T - 1u)) * WIDTH4 + k$f;
      let v0 = value_at(t.x);
      let v1 = value_at(t.y);
      let v2 = value_at(t.z);
      let v3 = value_at(t.w);
      products$q += vec4f(dot(v0, row$f), dot(v1, row$f), dot(v2, row$f), dot(v3, row$f));
      squares$q += inside$f * vec4f(dot(v0, v0), dot(v1, v1), dot(v2, v2), dot(v3, v3));
    }
#endrepeat
#endrepeat
  }
#repeat q ROW_VECTORS
  lane_part[lane_slot($qu, local)] = products$q;
  lane_part[lane_slot(ROW_VECTORS + $qu, local)] = squares$q;
#endrepeat
  let total = lane_sum(local);
  if (local >= ROW_VECTORS && local < 2u * ROW_VECTORS) {
    row_scale[local - ROW_VECTORS] = 1.0 / sqrt(total / f32(WIDTH) + EPS);
  }
  workgroupBarrier();
  if (local < ROW_VECTORS) {
    let value = total * row_scale[local];
#repeat c 4
    let row$c = first_row + local * 4u + $cu;
    if (row$c < T) {
#if HAS_ADAPTER_SCALE
      down[row$c * RANKS + group.x] = value[$cu] * adapter_scale[row$c];
#else
      down[row$c * RANKS + group.x] = value[$cu];
#endif
    }
#endrepeat
  }
  let first = first_row * WIDTH4;
  let end = min(first_row + ROWS, T) * WIDTH4;
  for (var e = first + group.x * THREADS + local; e < end; e += RANKS * THREADS) {
    let t = e / WIDTH4 - first_row;
    let value = value_at(e);
#if HAS_ADD
    sum[e] = value;
#endif
    y[e] = value * row_scale[t / 4u][t % 4u] * (UNIT_OFFSET + weight4_at(e % WIDTH4 * 4u));
  }
}
