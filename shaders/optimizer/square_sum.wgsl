// The sum of squares of COUNT numbers in two steps. First (FINAL false, one launch for each stretch of x that
// one binding holds) PARTIALS interleaved parts of x are summed to out from FIRST on. Then (FINAL true, FIRST
// 1, where x holds the partial sums and COUNT is their number) these are added to out[1], which is stats[1],
// and stats[2] becomes 1 where stats[0] or stats[1] is NaN or infinite.
// Buffers: out, read and written; x [COUNT].
// Constants: COUNT, PARTIALS, FIRST, FINAL, WORKGROUP.
// Threads: one workgroup of WORKGROUP invocations a partial sum.
#include "lib/row.wgsl"
@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;

// Decided by the bits, since an implementation may assume that no NaN occurs.
fn finite(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  var sum = 0.0;
  for (var i = group.x * WORKGROUP + local; i < COUNT; i += WORKGROUP * PARTIALS) {
    let value = x[i];
    sum += select(value * value, value, FINAL);
  }
  let total = row_sum(sum, local);
  if (local == 0u) {
    out[FIRST + group.x] = total;
    if (FINAL && !(finite(out[0]) && finite(total))) {
      out[2] = 1.0;
    }
  }
}
