// Results of a product, element by element: C at C_OFFSET + m member_row + n, or [SPLIT, M, member_n] partial sums.
alias C = f32;
#include "lib/c_{C_TARGET}.wgsl"

fn store(m: u32, n: u32, slice: u32, value: f32) {
  if (n >= member_n) {
    return;
  }
  if (SPLIT > 1u) {
    put(member_partial + (slice * M + m) * member_n + n, value);
  } else {
    put(C_OFFSET + m * member_row + n, ALPHA * value);
  }
}

fn store4(m: u32, n: u32, slice: u32, value: vec4f) {
  store(m, n, slice, value.x);
  store(m, n + 1u, slice, value.y);
  store(m, n + 2u, slice, value.z);
  store(m, n + 3u, slice, value.w);
}
