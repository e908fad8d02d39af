// Sums of probabilities by buckets that are exact to 2^-39 a term and do not depend on the order of the
// terms: three limbs of 13 bits, so that 2^19 terms of at most 1 pass no u32.
// Constants: WORKGROUP, the buckets.
// limbs_of: a probability as limbs. value_of: a sum of limbs. add_to_bucket: adds a term or a sum of terms.
// clear_buckets: needs a barrier after it. sums_before, sums_from: of all buckets before this invocation's
// own, or from it on; all invocations call them after a barrier.
var<workgroup> limbs: array<atomic<u32>, 3u * WORKGROUP>;
var<workgroup> scanned: array<vec3u, WORKGROUP>;

fn limbs_of(p: f32) -> vec3u {
  let high = p * 8192.0;
  let middle = fract(high) * 8192.0;
  return vec3u(u32(high), u32(middle), u32(fract(middle) * 8192.0));
}

fn value_of(sum: vec3u) -> f32 {
  let middle = sum.y + (sum.z >> 13u);
  let high = sum.x + (middle >> 13u);
  let rest = ((middle & 8191u) << 13u) + (sum.z & 8191u);
  return f32(high) * (1.0 / 8192.0) + f32(rest) * (1.0 / 549755813888.0);
}

fn clear_buckets(local: u32) {
#repeat l 3
  atomicStore(&limbs[3u * local + $lu], 0u);
#endrepeat
}

fn add_to_bucket(bucket: u32, sum: vec3u) {
#repeat l 3
  atomicAdd(&limbs[3u * bucket + $lu], sum[$l]);
#endrepeat
}

fn bucket_sum(bucket: u32) -> vec3u {
  return vec3u(
    atomicLoad(&limbs[3u * bucket]),
    atomicLoad(&limbs[3u * bucket + 1u]),
    atomicLoad(&limbs[3u * bucket + 2u]),
  );
}

fn sums_before(local: u32) -> f32 {
  let own = bucket_sum(local);
  var sum = own;
  for (var distance = 1u; distance < WORKGROUP; distance <<= 1u) {
    scanned[local] = sum;
    workgroupBarrier();
    if (local >= distance) {
      sum += scanned[local - distance];
    }
    workgroupBarrier();
  }
  return value_of(sum - own);
}

fn sums_from(local: u32) -> f32 {
  var sum = bucket_sum(local);
  for (var distance = 1u; distance < WORKGROUP; distance <<= 1u) {
    scanned[local] = sum;
    workgroupBarrier();
    if (local + distance < WORKGROUP) {
      sum += scanned[local + distance];
    }
    workgroupBarrier();
  }
  return value_of(sum);
}
