// Where the results of a product go: to C at C_OFFSET + m problem_row + n, or to partial sums [SPLIT_K, M,
// problem_n], which split_k_reduce.wgsl adds up. C_GROUPED: each problem of a grouped GEMM has its own C.
// C_VEC4: C is written by vec4, where N, C_OFFSET and C_ROW are multiples of 4 and an invocation's columns
// are neighbours.
// Buffers: c, or c0, c1, … where C_GROUPED.
#if C_VEC4
alias C = vec4f;
#else
alias C = f32;
#endif
#if C_GROUPED
#repeat g PROBLEMS
@group(0) @binding(1$g) var<storage, read_write> c$g: array<C>;
#endrepeat

fn put(i: u32, value: C) {
  switch (problem) {
#repeat g PROBLEMS
    case $gu: {
      c$g[i] = value;
    }
#endrepeat
    default: {}
  }
}
#else
@group(0) @binding(0) var<storage, read_write> c: array<C>;

fn put(i: u32, value: C) {
  if (ACCUMULATE && SPLIT_K == 1u) {
    c[i] += value;
  } else {
    c[i] = value;
  }
}
#endif

#if C_VEC4
fn store4(m: u32, n: u32, split: u32, value: vec4f) {
  if (n >= problem_n) {
    return;
  }
  if (SPLIT_K > 1u) {
    put((problem_partial + (split * M + m) * problem_n + n) / 4u, value);
  } else {
    put((C_OFFSET + m * problem_row + n) / 4u, ALPHA * value);
  }
}

fn store(m: u32, n: u32, split: u32, value: f32) {}
#else
fn store(m: u32, n: u32, split: u32, value: f32) {
  if (n >= problem_n) {
    return;
  }
  if (SPLIT_K > 1u) {
    put(problem_partial + (split * M + m) * problem_n + n, value);
  } else {
    put(C_OFFSET + m * problem_row + n, ALPHA * value);
  }
}

fn store4(m: u32, n: u32, split: u32, value: vec4f) {
  store(m, n, split, value.x);
  store(m, n + 1u, split, value.y);
  store(m, n + 2u, split, value.z);
  store(m, n + 3u, split, value.w);
}
#endif
