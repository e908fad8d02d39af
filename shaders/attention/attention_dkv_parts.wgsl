// attention_dkv_tiled.wgsl for heads that workgroup memory does not hold: they go through it in parts. Slices
// of the heads (SPLIT_HEADS) and partial sums are as there.
// Buffers: dk, dv, k, v [T, HEADS / GROUP_SIZE D]; q, d_o [T, HEADS D]; stats [T, HEADS, 2]; document_end [T]
//   u32, which never falls along T.
// Constants: those of attention_parts.wgsl, and SPLIT_HEADS.
// Threads: one workgroup of THREADS a block of keys (x), a key head (y) and a slice of the heads (z).
#include "lib/attention/scores.wgsl"
#include "lib/attention/parts.wgsl"
@group(0) @binding(0) var<storage, read_write> dk: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> dv: array<vec4f>;
@group(0) @binding(2) var<storage, read> q: array<vec4f>;
@group(0) @binding(3) var<storage, read> k: array<vec4f>;
@group(0) @binding(4) var<storage, read> v: array<vec4f>;
@group(0) @binding(5) var<storage, read> d_o: array<vec4f>;
@group(0) @binding(6) var<storage, read> stats: array<vec2f>;
@group(0) @binding(7) var<storage, read> document_end: array<u32>;

var<workgroup> k_tile: array<vec4f, BLOCK * STRIDE>;
var<workgroup> v_tile: array<vec4f, BLOCK * STRIDE>;
var<workgroup> q_tile: array<vec4f, COLUMNS * STRIDE>;
var<workgroup> do_tile: array<vec4f, COLUMNS * STRIDE>;
var<workgroup> p_tile: array<vec4f, BLOCK * SLOT_STRIDE>;
var<workgroup> ds_tile: array<vec4f, BLOCK * SLOT_STRIDE>;
var<workgroup> column_stats: array<vec2f, COLUMNS>;

// The queries that see key j are those from j itself up to, but not including, this one.
fn end_of(j: u32) -> u32 {
  if (WINDOW > 0u) {
    return min(document_end[j], j + WINDOW);
  }
  return document_end[j];
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let key_head = group.y;
  let j0 = group.x * BLOCK;
  let x = local % 8u;
  let y = local / 8u;
  let own_end = end_of(min(j0 + y, T - 1u));
#repeat p PARTS
#repeat d VECTORS_PER_PART
  var dk$p_$d = vec4f();
  var dv$p_$d = vec4f();
#endrepeat
#endrepeat
  let end = end_of(min(j0 + BLOCK, T) - 1u);
  let first_head = key_head * GROUP_SIZE + group.z * (GROUP_SIZE / SPLIT_HEADS);
  for (var head = first_head; head < first_head + GROUP_SIZE / SPLIT_HEADS; head++) {
    for (var t0 = j0; t0 < end; t0 += COLUMNS) {
      var product = vec4f();
      var dp = vec4f();
      for (var part = 0u; part < PARTS; part++) {
        workgroupBarrier();
        for (var e = local; e < BLOCK * PART; e += THREADS) {
          let from_key = part_vector(e, part, j0, KEY_HEADS, key_head);
          k_tile[tile_slot(e)] = k[from_key];
          v_tile[tile_slot(e)] = v[from_key];
        }
        for (var e = local; e < COLUMNS * PART; e += THREADS) {
          let from_row = part_vector(e, part, t0, HEADS, head);
          q_tile[tile_slot(e)] = q[from_row];
          do_tile[tile_slot(e)] = d_o[from_row];
        }
        if (local < COLUMNS) {
          column_stats[local] = stats[min(t0 + local, T - 1u) * HEADS + head];
        }
        workgroupBarrier();
        for (var i = 0u; i < PART; i++) {
          let key = k_tile[y * STRIDE + i];
          let value = v_tile[y * STRIDE + i];
          product += vec4f(
            dot(key, q_tile[x * STRIDE + i]),
            dot(key, q_tile[(x + 8u) * STRIDE + i]),
            dot(key, q_tile[(x + 16u) * STRIDE + i]),
            dot(key, q_tile[(x + 24u) * STRIDE + i]),
          );
          dp += vec4f(
            dot(value, do_tile[x * STRIDE + i]),
            dot(value, do_tile[(x + 8u) * STRIDE + i]),
            dot(value, do_tile[(x + 16u) * STRIDE + i]),
            dot(value, do_tile[(x + 24u) * STRIDE + i]),
          );
        }
      }
      let t = vec4u(t0 + x) + vec4u(0u, 8u, 16u, 24u);
      let stats0 = column_stats[x];
      let stats1 = column_stats[x + 8u];
      let stats2 = column_stats[x + 16u];
      let stats3 = column_stats[x + 24u];
      let sees = (t >= vec4u(j0 + y)) & (t < vec4u(own_end));
      let score = attention_score(product);
      let p = select(vec4f(), exp(score - vec4f(stats0.x, stats1.x, stats2.x, stats3.x)), sees);
      let slope = (dp - vec4f(stats0.y, stats1.y, stats2.y, stats3.y)) * attention_slope(score);
      p_tile[y * SLOT_STRIDE + x] = p;
      ds_tile[y * SLOT_STRIDE + x] = select(vec4f(), p * slope, sees);
#repeat p PARTS
      workgroupBarrier();
      for (var e = local; e < COLUMNS * PART; e += THREADS) {
        let from_row = part_vector(e, $pu, t0, HEADS, head);
        q_tile[tile_slot(e)] = q[from_row];
        do_tile[tile_slot(e)] = d_o[from_row];
      }
      workgroupBarrier();
      for (var s = 0u; s < 8u; s++) {
        let ds = ds_tile[y * SLOT_STRIDE + s];
        let share = p_tile[y * SLOT_STRIDE + s];
#repeat d VECTORS_PER_PART
        let column$d = min(x + $du * 8u, PART - 1u);
        dk$p_$d = fma(vec4f(ds.x), q_tile[s * STRIDE + column$d], dk$p_$d);
        dk$p_$d = fma(vec4f(ds.y), q_tile[(s + 8u) * STRIDE + column$d], dk$p_$d);
        dk$p_$d = fma(vec4f(ds.z), q_tile[(s + 16u) * STRIDE + column$d], dk$p_$d);
        dk$p_$d = fma(vec4f(ds.w), q_tile[(s + 24u) * STRIDE + column$d], dk$p_$d);
        dv$p_$d = fma(vec4f(share.x), do_tile[s * STRIDE + column$d], dv$p_$d);
        dv$p_$d = fma(vec4f(share.y), do_tile[(s + 8u) * STRIDE + column$d], dv$p_$d);
        dv$p_$d = fma(vec4f(share.z), do_tile[(s + 16u) * STRIDE + column$d], dv$p_$d);
        dv$p_$d = fma(vec4f(share.w), do_tile[(s + 24u) * STRIDE + column$d], dv$p_$d);
#endrepeat
      }
#endrepeat
    }
  }
  let j = j0 + y;
  if (j < T) {
#repeat p PARTS
#repeat d VECTORS_PER_PART
    if (x + $du * 8u < PART) {
      let i$p_$d = ((group.z * T + j) * KEY_HEADS + key_head) * N + $pu * PART + x + $du * 8u;
      dk[i$p_$d] = dk$p_$d;
      dv[i$p_$d] = dv$p_$d;
    }
#endrepeat
#endrepeat
  }
}
