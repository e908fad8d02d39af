// Where a product's results go: one C, or partial sums.
@group(0) @binding(0) var<storage, read_write> c: array<C>;

fn put(i: u32, value: C) {
  if (ACCUMULATE && SPLIT == 1u) {
    c[i] += value;
  } else {
    c[i] = value;
  }
}
