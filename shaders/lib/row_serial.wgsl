// What row.wgsl offers where one invocation makes a whole row, as on CPU adapters: no barriers, and eight
// neighbouring rows a workgroup fill the lanes of a CPU's vectors.
const ROW_THREADS: u32 = 8u;

fn row_of(group: vec3u, groups: vec3u, id: u32) -> u32 {
  return (group.y * groups.x + group.x) * ROW_THREADS + id;
}

fn lane_of(id: u32) -> u32 {
  return 0u;
}

fn row_sum(value: f32, lane: u32) -> f32 {
  return value;
}
