// dm[o] += sum_t dy[t, o] z[t, o] / norm[o]: the gradient of DoRA's magnitudes, whose norms are constants
// (arXiv:2402.09353, section 4.3). A row of norm 0 has none.
// Buffers: dm [WIDTH], read and written; dy, z [T, WIDTH]; norm [WIDTH].
// Constants: T, WIDTH, COLUMNS (of a workgroup), LANES (that share a column's sum, in a fixed order), SERIAL
//   (whether LANES is 1).
// Threads: LANES invocations a column.
@group(0) @binding(0) var<storage, read_write> dm: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> z: array<f32>;
@group(0) @binding(3) var<storage, read> norm: array<f32>;
#if SERIAL
#else
var<workgroup> parts: array<f32, COLUMNS * LANES>;
#endif

@compute @workgroup_size(COLUMNS * LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) id: u32) {
  let column = group.x * COLUMNS + id % COLUMNS;
  let lane = id / COLUMNS;
  var sum = 0.0;
  if (column < WIDTH) {
    for (var t = lane; t < T; t += LANES) {
      sum += dy[t * WIDTH + column] * z[t * WIDTH + column];
    }
  }
#if SERIAL
#else
  parts[id] = sum;
  workgroupBarrier();
  for (var other = 1u; other < LANES; other++) {
    sum += parts[other * COLUMNS + id % COLUMNS];
  }
#endif
  if (lane == 0u && column < WIDTH && norm[column] > 0.0) {
    dm[column] += sum / norm[column];
  }
}
