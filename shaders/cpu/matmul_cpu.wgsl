// C[m, n] = ALPHA sum_k A(m, k) B(k, n), added to C where ACCUMULATE, for any shape and layout:
//   A(m, k) = a[A_OFFSET + m A_ROW + k A_COLUMN]
//   B(k, n) = weight_at(B_OFFSET + k B_ROW + n B_COLUMN)
//   C(m, n) = c[C_OFFSET + m C_ROW + n]
// Buffers: c; a; B of any kind (lib/weight/element.wgsl).
// Constants: M, N, K, ALPHA, ACCUMULATE, WEIGHT_KIND and those of the layout.
// Threads: one invocation makes 8 x 4 elements in registers, without barriers. Grid x over n, y over m.
#include "lib/weight/element.wgsl"
@group(0) @binding(0) var<storage, read_write> c: array<f32>;
@group(0) @binding(1) var<storage, read> a: array<f32>;

fn store(m: u32, n: u32, value: f32) {
  if (m >= M || n >= N) {
    return;
  }
  let i = C_OFFSET + m * C_ROW + n;
  if (ACCUMULATE) {
    c[i] += ALPHA * value;
  } else {
    c[i] = ALPHA * value;
  }
}

fn store4(m: u32, n: u32, value: vec4f) {
  store(m, n, value.x);
  store(m, n + 1u, value.y);
  store(m, n + 2u, value.z);
  store(m, n + 3u, value.w);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = id.x * 4u;
  let m = id.y * 8u;
  if (n >= N || m >= M) {
    return;
  }
  let b = vec4u(B_OFFSET) + min(vec4u(n, n + 1u, n + 2u, n + 3u), vec4u(N - 1u)) * B_COLUMN;
  let row0 = A_OFFSET + min(m + 0u, M - 1u) * A_ROW;
  var sum0 = vec4f();
  let row1 = A_OFFSET + min(m + 1u, M - 1u) * A_ROW;
  var sum1 = vec4f();
  let row2 = A_OFFSET + min(m + 2u, M - 1u) * A_ROW;
  var sum2 = vec4f();
  let row3 = A_OFFSET + min(m + 3u, M - 1u) * A_ROW;
  var sum3 = vec4f();
  let row4 = A_OFFSET + min(m + 4u, M - 1u) * A_ROW;
  var sum4 = vec4f();
  let row5 = A_OFFSET + min(m + 5u, M - 1u) * A_ROW;
  var sum5 = vec4f();
  let row6 = A_OFFSET + min(m + 6u, M - 1u) * A_ROW;
  var sum6 = vec4f();
  let row7 = A_OFFSET + min(m + 7u, M - 1u) * A_ROW;
  var sum7 = vec4f();
  for (var k = 0u; k < K; k++) {
    let w = b + k * B_ROW;
    let weights = vec4f(weight_at(w.x), weight_at(w.y), weight_at(w.z), weight_at(w.w));
    let column = k * A_COLUMN;
    sum0 += a[row0 + column] * weights;
    sum1 += a[row1 + column] * weights;
    sum2 += a[row2 + column] * weights;
    sum3 += a[row3 + column] * weights;
    sum4 += a[row4 + column] * weights;
    sum5 += a[row5 + column] * weights;
    sum6 += a[row6 + column] * weights;
    sum7 += a[row7 + column] * weights;
  }
  store4(m + 0u, n, sum0);
  store4(m + 1u, n, sum1);
  store4(m + 2u, n, sum2);
  store4(m + 3u, n, sum3);
  store4(m + 4u, n, sum4);
  store4(m + 5u, n, sum5);
  store4(m + 6u, n, sum6);
  store4(m + 7u, n, sum7);
}
