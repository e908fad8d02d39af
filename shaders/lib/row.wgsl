// Reductions over one row by one workgroup of WORKGROUP invocations, in a fixed order.
const ROW_THREADS: u32 = WORKGROUP;
var<workgroup> row_partial: array<f32, WORKGROUP>;

fn row_of(group: vec3u, groups: vec3u, id: u32) -> u32 {
  return group.y * groups.x + group.x;
}

fn lane_of(id: u32) -> u32 {
  return id;
}

fn row_sum(value: f32, local: u32) -> f32 {
  row_partial[local] = value;
  workgroupBarrier();
  for (var half = WORKGROUP / 2u; half > 0u; half >>= 1u) {
    if (local < half) {
      row_partial[local] += row_partial[local + half];
    }
    workgroupBarrier();
  }
  let total = row_partial[0];
  workgroupBarrier();
  return total;
}

fn row_max(value: f32, local: u32) -> f32 {
  row_partial[local] = value;
  workgroupBarrier();
  for (var half = WORKGROUP / 2u; half > 0u; half >>= 1u) {
    if (local < half) {
      row_partial[local] = max(row_partial[local], row_partial[local + half]);
    }
    workgroupBarrier();
  }
  let largest = row_partial[0];
  workgroupBarrier();
  return largest;
}
