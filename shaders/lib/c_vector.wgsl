// Results of a product, four at a time: as c_scalar.wgsl where N, C_OFFSET and C_ROW are multiples of 4 and B does not run along k.
alias C = vec4f;
#include "lib/c_{C_TARGET}.wgsl"

fn store4(m: u32, n: u32, slice: u32, value: vec4f) {
  if (n >= member_n) {
    return;
  }
  if (SPLIT > 1u) {
    put((member_partial + (slice * M + m) * member_n + n) / 4u, value);
  } else {
    put((C_OFFSET + m * member_row + n) / 4u, ALPHA * value);
  }
}

fn store(m: u32, n: u32, slice: u32, value: f32) {}
