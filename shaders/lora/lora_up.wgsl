// The up projection of LoRA alone, added in place: y[t, n] += ALPHA sum_r down[t, OFFSET + r] b[FIRST + n,
// r]. It is a matter of bandwidth: y is read and written once, b stays in registers. RANK = 4 RANK_QUADS and
// WIDTH are multiples of 4.
// Buffers: y [T, WIDTH]; down [T, ROW]; b [., RANK].
// Constants: T, WIDTH, ROW, OFFSET, FIRST, RANK_QUADS, ALPHA; TOKENS, the rows that an invocation goes over.
// Threads: an invocation holds four rows of b and goes over TOKENS rows of y. Workgroup x over columns, y
//   over rows.
@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(1) var<storage, read> down: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let n = group.x * 64u + local;
  if (n >= WIDTH / 4u) {
    return;
  }
#repeat r RANK_QUADS
  let b$r_0 = b[(FIRST + n * 4u) * RANK_QUADS + $ru];
  let b$r_1 = b[(FIRST + n * 4u + 1u) * RANK_QUADS + $ru];
  let b$r_2 = b[(FIRST + n * 4u + 2u) * RANK_QUADS + $ru];
  let b$r_3 = b[(FIRST + n * 4u + 3u) * RANK_QUADS + $ru];
#endrepeat
  for (var t = group.y * TOKENS; t < min((group.y + 1u) * TOKENS, T); t++) {
    var sum = vec4f();
#repeat r RANK_QUADS
    let down$r = down[(t * ROW + OFFSET) / 4u + $ru];
    sum += vec4f(dot(down$r, b$r_0), dot(down$r, b$r_1), dot(down$r, b$r_2), dot(down$r, b$r_3));
#endrepeat
    y[t * (WIDTH / 4u) + n] += ALPHA * sum;
  }
}
