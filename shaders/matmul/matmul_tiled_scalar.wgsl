// The product of matmul_cpu.wgsl for any shape and layout, through workgroup memory: tiles of 64 x 64 x 16,
// read one element at a time. An invocation makes 8 x 4 elements of C.
// Buffers: c; a; B of any kind (lib/weight/element.wgsl).
// Constants: those of matmul_cpu.wgsl. A_ALONG_K, B_ALONG_K: along which index neighbouring invocations load,
//   the one in memory order. SPLIT_K and K_PER_SPLIT: split z of the grid sums K_PER_SPLIT terms; where
//   SPLIT_K is above 1, c holds partial sums [SPLIT_K, M, N], which split_k_reduce.wgsl adds up.
// Threads: workgroups of 128; x over n, y over m, z over the splits of k.
#include "lib/weight/element.wgsl"
@group(0) @binding(0) var<storage, read_write> c: array<f32>;
@group(0) @binding(1) var<storage, read> a: array<f32>;

var<workgroup> a_tile: array<f32, 1024>;
var<workgroup> b_tile: array<vec4f, 256>;

fn a_at(m: u32, k: u32, last: u32) -> f32 {
  if (m >= M || k >= last) {
    return 0.0;
  }
  return a[A_OFFSET + m * A_ROW + k * A_COLUMN];
}

fn b_at(k: u32, n: u32, last: u32) -> f32 {
  if (n >= N || k >= last) {
    return 0.0;
  }
  return weight_at(B_OFFSET + k * B_ROW + n * B_COLUMN);
}

fn store(m: u32, n: u32, split: u32, value: f32) {
  if (m >= M || n >= N) {
    return;
  }
  if (SPLIT_K > 1u) {
    c[(split * M + m) * N + n] = value;
    return;
  }
  let i = C_OFFSET + m * C_ROW + n;
  if (ACCUMULATE) {
    c[i] += ALPHA * value;
  } else {
    c[i] = ALPHA * value;
  }
}

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let n0 = group.x * 64u;
  let m0 = group.y * 64u;
  let column = t % 16u;
  let row = t / 16u;
  var sum: array<vec4f, 8>;
  let first = group.z * K_PER_SPLIT;
  let last = min(first + K_PER_SPLIT, K);
  for (var k0 = first; k0 < last; k0 += 16u) {
    for (var e = t; e < 1024u; e += 128u) {
      let i = select(e % 64u, e / 16u, A_ALONG_K);
      let k = select(e / 64u, e % 16u, A_ALONG_K);
      a_tile[k * 64u + i] = a_at(m0 + i, k0 + k, last);
    }
    for (var e = t; e < 256u; e += 128u) {
      // A vec4 has four neighbouring n of one k. Where B runs along k, 16 invocations read 16 consecutive k.
      let j = select(e % 16u, e / 16u, B_ALONG_K);
      let k = select(e / 16u, e % 16u, B_ALONG_K);
      let n = n0 + j * 4u;
      b_tile[k * 16u + j] = vec4f(
        b_at(k0 + k, n, last),
        b_at(k0 + k, n + 1u, last),
        b_at(k0 + k, n + 2u, last),
        b_at(k0 + k, n + 3u, last),
      );
    }
    workgroupBarrier();
    for (var k = 0u; k < 16u; k++) {
      let b = b_tile[k * 16u + column];
      for (var i = 0u; i < 8u; i++) {
        sum[i] = fma(vec4f(a_tile[k * 64u + row * 8u + i]), b, sum[i]);
      }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 8u; i++) {
    let m = m0 + row * 8u + i;
    let n = n0 + column * 4u;
    store(m, n, group.z, sum[i].x);
    store(m, n + 1u, group.z, sum[i].y);
    store(m, n + 2u, group.z, sum[i].z);
    store(m, n + 3u, group.z, sum[i].w);
  }
}
