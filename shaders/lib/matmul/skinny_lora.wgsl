// The second product of LoRA within matmul_skinny.wgsl, where ADDS_LORA: y_g[t, n] += LORA_SCALE sum_r
// down[t, g RANK + r] b[FIRST<g> + n, r], four r an invocation; RANK = 4 RANK_QUADS. DOWN_QUADS: vec4 of a
// row of down. Where PARTS, the kernel before this one wrote down in partial sums [PARTS, M, RANK] behind the
// rows of a, from vec4 FIRST_PART on, and every workgroup adds them up, each row by its adapter_scale.
// Buffers: lora_b [., RANK], one projection's rows after the other's; lora_down [M, PROBLEMS RANK], or where
//   PARTS and HAS_ADAPTER_SCALE adapter_scale [M].
// read_parts, add_parts: what all invocations call first, and again once all of them have.
// lora_b_row: an invocation's part of the row of b of column n. lora_term: what it adds to row `row` of that
// column.
#if ADDS_LORA
@group(0) @binding(3) var<storage, read> lora_b: array<vec4f>;
#if PARTS
#if HAS_ADAPTER_SCALE
@group(0) @binding(8) var<storage, read> adapter_scale: array<f32>;
#endif

const ENTRIES: u32 = ROWS * RANK_QUADS;
// Invocations that each add a share of an entry's parts, and the sums that are left of theirs after a step.
const SHARES: u32 = min(THREADS / ENTRIES, PARTS);
const SUMS: u32 = min(SHARES, 8u);
var<workgroup> down_shares: array<vec4f, SHARES * ENTRIES>;
var<workgroup> down: array<vec4f, ENTRIES>;

fn read_parts(t: u32) {
  if (t >= SHARES * ENTRIES) {
    return;
  }
  let entry = row_at(t % ENTRIES / RANK_QUADS) * RANK_QUADS + t % RANK_QUADS;
  var sum = vec4f();
  for (var part = t / ENTRIES; part < PARTS; part += 8u * SHARES) {
#repeat u 8
    let four$u = a[FIRST_PART + min(part + $uu * SHARES, PARTS - 1u) * M * RANK_QUADS + entry];
#endrepeat
#repeat u 8
    sum += select(vec4f(), four$u, part + $uu * SHARES < PARTS);
#endrepeat
  }
  down_shares[t] = sum;
}

fn add_parts(t: u32) {
  workgroupBarrier();
  if (SHARES > SUMS) {
    if (t < SUMS * ENTRIES) {
      var sum = down_shares[t];
      for (var i = t + SUMS * ENTRIES; i < SHARES * ENTRIES; i += SUMS * ENTRIES) {
        sum += down_shares[i];
      }
      down_shares[t] = sum;
    }
    workgroupBarrier();
  }
  if (t < ENTRIES) {
    var sum = down_shares[t];
    for (var i = t + ENTRIES; i < SUMS * ENTRIES; i += ENTRIES) {
      sum += down_shares[i];
    }
#if HAS_ADAPTER_SCALE
    sum *= adapter_scale[row_at(t / RANK_QUADS)];
#endif
    down[t] = sum;
  }
  workgroupBarrier();
}

fn down_quad(row: u32, quad: u32) -> vec4f {
  return down[row * RANK_QUADS + quad];
}
#else
@group(0) @binding(2) var<storage, read> lora_down: array<vec4f>;

fn read_parts(t: u32) {}

fn add_parts(t: u32) {}

fn down_quad(row: u32, quad: u32) -> vec4f {
  return lora_down[row_at(row) * DOWN_QUADS + problem * RANK_QUADS + quad];
}
#endif

fn lora_b_row(n: u32, lane: u32) -> vec4f {
  return lora_b[(problem_first + n) * RANK_QUADS + min(lane, RANK_QUADS - 1u)];
}

fn lora_term(row: u32, lane: u32, b_row: vec4f) -> f32 {
  let part = LORA_SCALE * dot(down_quad(row, min(lane, RANK_QUADS - 1u)), b_row);
  return select(0.0, part, lane < RANK_QUADS);
}
#else
fn read_parts(t: u32) {}

fn add_parts(t: u32) {}

fn lora_b_row(n: u32, lane: u32) -> vec4f {
  return vec4f();
}

fn lora_term(row: u32, lane: u32, b_row: vec4f) -> f32 {
  return 0.0;
}
#endif
