// The largest |a - b| and the largest |b| over COUNT elements, a pair a workgroup: out[2 w] and out[2 w + 1]
// of workgroup w. What is no number counts as the largest finite one.
// Buffers: out [2 GROUPS]; a, b [COUNT].
// Constants: COUNT; GROUPS, the workgroups.
// Threads: 256 invocations a workgroup; each takes every (256 GROUPS)-th element.
@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;

var<workgroup> largest: array<vec2f, 256>;

fn magnitude(x: f32) -> f32 {
  return bitcast<f32>(min(bitcast<u32>(x) & 0x7fffffffu, 0x7f7fffffu));
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  var mine = vec2f(0.0);
  for (var e = group.x * 256u + t; e < COUNT; e += GROUPS * 256u) {
    mine = max(mine, vec2f(magnitude(a[e] - b[e]), magnitude(b[e])));
  }
  largest[t] = mine;
  workgroupBarrier();
  for (var step = 128u; step > 0u; step /= 2u) {
    if (t < step) {
      largest[t] = max(largest[t], largest[t + step]);
    }
    workgroupBarrier();
  }
  if (t == 0u) {
    out[2u * group.x] = largest[0].x;
    out[2u * group.x + 1u] = largest[0].y;
  }
}
