// C[m, n] = ALPHA * sum_k A(m, k) B(k, n)  (added to C where ACCUMULATE), all reads by vec4.
//   A(m, k) = a[A_OFFSET + m A_ROW + k A_COLUMN], B(k, n) = weight at B_OFFSET + k B_ROW + n B_COLUMN, C at C_OFFSET + m C_ROW + n
// N, K, both offsets and the longer strides are multiples of 4; A runs along k (A_COLUMN 1) or along m (A_ROW 1, M a multiple of 4),
// B along k (B_ROW 1) or along n (B_COLUMN 1).
// Buffers: 0 c, 1 a, 4-7 B through the weight reader.
// Threads: one invocation makes an 8 x 4 block from registers, no barriers.
#include "lib/flat.wgsl"
#include "lib/weight4_{B_KIND}.wgsl"
@group(0) @binding(0) var<storage, read_write> c: array<f32>;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;

fn store(m: u32, n: u32, sum: vec4f) {
  if (m >= M) {
    return;
  }
  let i = C_OFFSET + m * C_ROW + n;
  let value = ALPHA * sum;
  if (ACCUMULATE) {
    c[i] += value.x;
    c[i + 1u] += value.y;
    c[i + 2u] += value.z;
    c[i + 3u] += value.w;
  } else {
    c[i] = value.x;
    c[i + 1u] = value.y;
    c[i + 2u] = value.z;
    c[i + 3u] = value.w;
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = flat_index(group, groups, local, 64u);
  let n = (e % (N / 4u)) * 4u;
  let m = (e / (N / 4u)) * 8u;
  if (m >= M) {
    return;
  }
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  var sum4 = vec4f();
  var sum5 = vec4f();
  var sum6 = vec4f();
  var sum7 = vec4f();
  let a0 = A_OFFSET + min(m, M - 1u) * A_ROW;
  let a1 = A_OFFSET + min(m + 1u, M - 1u) * A_ROW;
  let a2 = A_OFFSET + min(m + 2u, M - 1u) * A_ROW;
  let a3 = A_OFFSET + min(m + 3u, M - 1u) * A_ROW;
  let a4 = A_OFFSET + min(m + 4u, select(M - 1u, M - 4u, A_ROW == 1u)) * A_ROW;
  let a5 = A_OFFSET + min(m + 5u, M - 1u) * A_ROW;
  let a6 = A_OFFSET + min(m + 6u, M - 1u) * A_ROW;
  let a7 = A_OFFSET + min(m + 7u, M - 1u) * A_ROW;
  let b = B_OFFSET + n * B_COLUMN;
  for (var k = 0u; k < K; k += 4u) {
    // b_j: row k + j of B, columns n to n + 3.
    var b0 = vec4f();
    var b1 = vec4f();
    var b2 = vec4f();
    var b3 = vec4f();
    if (B_ROW == 1u) {
      let columns = transpose(mat4x4f(weight4_at(b + k), weight4_at(b + B_COLUMN + k), weight4_at(b + 2u * B_COLUMN + k), weight4_at(b + 3u * B_COLUMN + k)));
      b0 = columns[0];
      b1 = columns[1];
      b2 = columns[2];
      b3 = columns[3];
    } else {
      b0 = weight4_at(b + k * B_ROW);
      b1 = weight4_at(b + (k + 1u) * B_ROW);
      b2 = weight4_at(b + (k + 2u) * B_ROW);
      b3 = weight4_at(b + (k + 3u) * B_ROW);
    }
    if (A_COLUMN == 1u) {
      let r0 = a[(a0 + k) >> 2u];
      sum0 += r0.x * b0 + r0.y * b1 + r0.z * b2 + r0.w * b3;
      let r1 = a[(a1 + k) >> 2u];
      sum1 += r1.x * b0 + r1.y * b1 + r1.z * b2 + r1.w * b3;
      let r2 = a[(a2 + k) >> 2u];
      sum2 += r2.x * b0 + r2.y * b1 + r2.z * b2 + r2.w * b3;
      let r3 = a[(a3 + k) >> 2u];
      sum3 += r3.x * b0 + r3.y * b1 + r3.z * b2 + r3.w * b3;
      let r4 = a[(a4 + k) >> 2u];
      sum4 += r4.x * b0 + r4.y * b1 + r4.z * b2 + r4.w * b3;
      let r5 = a[(a5 + k) >> 2u];
      sum5 += r5.x * b0 + r5.y * b1 + r5.z * b2 + r5.w * b3;
      let r6 = a[(a6 + k) >> 2u];
      sum6 += r6.x * b0 + r6.y * b1 + r6.z * b2 + r6.w * b3;
      let r7 = a[(a7 + k) >> 2u];
      sum7 += r7.x * b0 + r7.y * b1 + r7.z * b2 + r7.w * b3;
    } else {
      // l_j, h_j: column k + j of A, rows m to m + 3 and m + 4 to m + 7.
      let l0 = a[(a0 + k * A_COLUMN) >> 2u];
      let l1 = a[(a0 + (k + 1u) * A_COLUMN) >> 2u];
      let l2 = a[(a0 + (k + 2u) * A_COLUMN) >> 2u];
      let l3 = a[(a0 + (k + 3u) * A_COLUMN) >> 2u];
      sum0 += l0.x * b0 + l1.x * b1 + l2.x * b2 + l3.x * b3;
      sum1 += l0.y * b0 + l1.y * b1 + l2.y * b2 + l3.y * b3;
      sum2 += l0.z * b0 + l1.z * b1 + l2.z * b2 + l3.z * b3;
      sum3 += l0.w * b0 + l1.w * b1 + l2.w * b2 + l3.w * b3;
      let h0 = a[(a4 + k * A_COLUMN) >> 2u];
      let h1 = a[(a4 + (k + 1u) * A_COLUMN) >> 2u];
      let h2 = a[(a4 + (k + 2u) * A_COLUMN) >> 2u];
      let h3 = a[(a4 + (k + 3u) * A_COLUMN) >> 2u];
      sum4 += h0.x * b0 + h1.x * b1 + h2.x * b2 + h3.x * b3;
      sum5 += h0.y * b0 + h1.y * b1 + h2.y * b2 + h3.y * b3;
      sum6 += h0.z * b0 + h1.z * b1 + h2.z * b2 + h3.z * b3;
      sum7 += h0.w * b0 + h1.w * b1 + h2.w * b2 + h3.w * b3;
    }
  }
  store(m, n, sum0);
  store(m + 1u, n, sum1);
  store(m + 2u, n, sum2);
  store(m + 3u, n, sum3);
  store(m + 4u, n, sum4);
  store(m + 5u, n, sum5);
  store(m + 6u, n, sum6);
  store(m + 7u, n, sum7);
}
