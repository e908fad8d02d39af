// The product of matmul_cpu.wgsl with all reads by vec4. N, K, both offsets and the longer strides are
// multiples of 4; A runs along k (A_COLUMN 1) or along m (A_ROW 1, M a multiple of 4), B along k (B_ROW 1) or
// along n (B_COLUMN 1).
// Buffers: c; a; B of any kind (lib/weight/vec4.wgsl).
// Constants: those of matmul_cpu.wgsl; QUADS, the groups of four columns that an invocation makes, of which N
//   is a multiple.
// Threads: one invocation makes 8 rows by 4 QUADS columns in registers, without barriers.
#include "lib/grid.wgsl"
#include "lib/weight/vec4.wgsl"
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
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let e = flat_index(group, groups, local, 64u);
  let n = (e % (N / (4u * QUADS))) * 4u * QUADS;
  let m = (e / (N / (4u * QUADS))) * 8u;
  if (m >= M) {
    return;
  }
#repeat h 2
  let quad$h = A_OFFSET + min(m + $hu * 4u, max(M, 4u) - 4u) * A_ROW;
#repeat r 4
  let row$h_$r = A_OFFSET + min(m + $hu * 4u + $ru, M - 1u) * A_ROW;
#repeat q QUADS
  var sum$h_$r_$q = vec4f();
#endrepeat
#endrepeat
#endrepeat
#repeat q QUADS
  let b$q = B_OFFSET + (n + $qu * 4u) * B_COLUMN;
#endrepeat
  for (var k = 0u; k < K; k += 4u) {
    // b<q>_<j>: the q-th four columns of row k + j of B.
#repeat q QUADS
    var b$q_0 = vec4f();
    var b$q_1 = vec4f();
    var b$q_2 = vec4f();
    var b$q_3 = vec4f();
    if (B_ROW == 1u) {
      let columns = transpose(
        mat4x4f(
          weight4_at(b$q + k),
          weight4_at(b$q + B_COLUMN + k),
          weight4_at(b$q + 2u * B_COLUMN + k),
          weight4_at(b$q + 3u * B_COLUMN + k),
        ),
      );
      b$q_0 = columns[0];
      b$q_1 = columns[1];
      b$q_2 = columns[2];
      b$q_3 = columns[3];
    } else {
      b$q_0 = weight4_at(b$q + k * B_ROW);
      b$q_1 = weight4_at(b$q + (k + 1u) * B_ROW);
      b$q_2 = weight4_at(b$q + (k + 2u) * B_ROW);
      b$q_3 = weight4_at(b$q + (k + 3u) * B_ROW);
    }
#endrepeat
    if (A_COLUMN == 1u) {
#repeat h 2
#repeat r 4
      let x$h_$r = a[(row$h_$r + k) >> 2u];
#repeat q QUADS
      sum$h_$r_$q += x$h_$r.x * b$q_0 + x$h_$r.y * b$q_1 + x$h_$r.z * b$q_2 + x$h_$r.w * b$q_3;
#endrepeat
#endrepeat
#endrepeat
    } else {
      // x<h>_<j>: the h-th four rows of column k + j of A.
#repeat h 2
#repeat j 4
      let x$h_$j = a[(quad$h + (k + $ju) * A_COLUMN) >> 2u];
#endrepeat
#repeat r 4
#repeat q QUADS
      sum$h_$r_$q += x$h_0[$r] * b$q_0 + x$h_1[$r] * b$q_1 + x$h_2[$r] * b$q_2 + x$h_3[$r] * b$q_3;
#endrepeat
#endrepeat
#endrepeat
    }
  }
#repeat h 2
#repeat r 4
#repeat q QUADS
  store(m + $hu * 4u + $ru, n + $qu * 4u, sum$h_$r_$q);
#endrepeat
#endrepeat
#endrepeat
}
