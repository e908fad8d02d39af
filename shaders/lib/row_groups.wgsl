// The rows of a workgroup of a kernel for some rows, as in generation: ROWS of all, from first_row on; where
// MANY_ROWS there may be more, and the last workgroup may have fewer.
// row_at: a row of the workgroup among all, the last one in place of those that are not there. has_row:
// whether it is there.
#if MANY_ROWS
var<private> first_row: u32;

fn choose_rows(group: u32) {
  first_row = group * ROWS;
}

fn row_at(row: u32) -> u32 {
  return min(first_row + row, ALL_ROWS - 1u);
}

fn has_row(row: u32) -> bool {
  return first_row + row < ALL_ROWS;
}
#else
const first_row: u32 = 0u;

fn choose_rows(group: u32) {}

fn row_at(row: u32) -> u32 {
  return row;
}

fn has_row(row: u32) -> bool {
  return true;
}
#endif
