// Reductions over one row by one workgroup of WORKGROUP invocations, a power of two, in a fixed order:
// ROW_PARTS invocations each take every ROW_PARTS-th value, then every invocation adds up these.
// ROW_THREADS: invocations a workgroup. row_of: the row of a workgroup. lane_of: an invocation's number
// within its row.
const ROW_THREADS: u32 = WORKGROUP;
const ROW_PARTS: u32 = min(16u, WORKGROUP);
var<workgroup> row_values: array<f32, WORKGROUP>;
var<workgroup> row_parts: array<f32, ROW_PARTS>;

fn row_of(group: vec3u, groups: vec3u, id: u32) -> u32 {
  return group.y * groups.x + group.x;
}

fn lane_of(id: u32) -> u32 {
  return id;
}

fn row_sum(value: f32, local: u32) -> f32 {
  row_values[local] = value;
  workgroupBarrier();
  if (local < ROW_PARTS) {
    var part = value;
    for (var i = 1u; i < WORKGROUP / ROW_PARTS; i++) {
      part += row_values[i * ROW_PARTS + local];
    }
    row_parts[local] = part;
  }
  workgroupBarrier();
  var total = row_parts[0];
  for (var i = 1u; i < ROW_PARTS; i++) {
    total += row_parts[i];
  }
  return total;
}

fn row_max(value: f32, local: u32) -> f32 {
  row_values[local] = value;
  workgroupBarrier();
  if (local < ROW_PARTS) {
    var part = value;
    for (var i = 1u; i < WORKGROUP / ROW_PARTS; i++) {
      part = max(part, row_values[i * ROW_PARTS + local]);
    }
    row_parts[local] = part;
  }
  workgroupBarrier();
  var largest = row_parts[0];
  for (var i = 1u; i < ROW_PARTS; i++) {
    largest = max(largest, row_parts[i]);
  }
  return largest;
}
