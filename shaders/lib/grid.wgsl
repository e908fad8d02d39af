// The index of an invocation in a grid made by flatGrid (src/gpu/dispatch.ts), which folds one dimension into
// two where it is too long.
fn flat_index(workgroup: vec3u, groups: vec3u, local: u32, size: u32) -> u32 {
  return (workgroup.y * groups.x + workgroup.x) * size + local;
}
