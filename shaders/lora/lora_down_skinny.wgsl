// The first product of lora_forward.wgsl for some rows, as in generation: down[t, m] = adapter_scale[t]
// sum_k x[t, k] a[m, k]. WIDTH is a multiple of 4.
// Buffers: down [T, RANKS]; x [T, WIDTH]; a [RANKS, WIDTH]; where HAS_ADAPTER_SCALE, adapter_scale [T].
// Constants: T, WIDTH, RANKS; those of lib/row_groups.wgsl; FOURS, the vec4 of k that an invocation
//   reads at once; those of lib/lora/lane_sums.wgsl.
// Threads: workgroup (x, y) makes m = x of the y-th ROWS rows, four a vector; its invocations take every
//   LANES-th vec4 of k.
#include "lib/lora/lane_sums.wgsl"
#include "lib/row_groups.wgsl"
@group(0) @binding(3) var<storage, read_write> down: array<f32>;
@group(0) @binding(4) var<storage, read> x: array<vec4f>;
@group(0) @binding(5) var<storage, read> a: array<vec4f>;
#if HAS_ADAPTER_SCALE
@group(0) @binding(7) var<storage, read> adapter_scale: array<f32>;
#endif

const WIDTH4: u32 = WIDTH / 4u;

// The products of four k of the q-th four rows of x with those of a row of a.
fn four_rows(q: u32, k: u32, row: vec4f) -> vec4f {
  let t = min(vec4u(first_row + 4u * q) + vec4u(0u, 1u, 2u, 3u), vec4u(T - 1u)) * WIDTH4 + k;
  return vec4f(dot(x[t.x], row), dot(x[t.y], row), dot(x[t.z], row), dot(x[t.w], row));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  choose_rows(group.y);
#repeat q VECTORS
  var sum$q = vec4f();
#endrepeat
  for (var first = local; first < WIDTH4; first += FOURS * THREADS) {
#repeat f FOURS
    let k$f = min(first + $fu * THREADS, WIDTH4 - 1u);
    let row$f = select(vec4f(), a[group.x * WIDTH4 + k$f], first + $fu * THREADS < WIDTH4);
#endrepeat
#repeat f FOURS
#repeat q VECTORS
    sum$q += four_rows($qu, k$f, row$f);
#endrepeat
#endrepeat
  }
#repeat q VECTORS
  lane_part[lane_slot($qu, local)] = sum$q;
#endrepeat
  let total = lane_sum(local);
#repeat c 4
  let row$c = first_row + local * 4u + $cu;
  if (local < VECTORS && row$c < T) {
    var value = total[$cu];
#if HAS_ADAPTER_SCALE
    value *= adapter_scale[row$c];
#endif
    down[row$c * RANKS + group.x] = value;
  }
#endrepeat
}
