// Four keys at a time, j to j + 3, of a query t, which sees keys up to t.
fn seen(j: u32, t: u32) -> vec4<bool> {
  return vec4u(j, j + 1u, j + 2u, j + 3u) <= vec4u(t);
}

// Where the rows of these keys begin in a [T, HEADS / GROUP_SIZE, N] array of Vector. A key past t reads the
// row of t.
fn key_rows(j: u32, t: u32, head: u32) -> vec4u {
  return (min(vec4u(j, j + 1u, j + 2u, j + 3u), vec4u(t)) * (HEADS / GROUP_SIZE) + head / GROUP_SIZE) * N;
}
