// Takes the state of the gated delta rule from chunk to chunk, TILE columns of a head at a time:
//   states[chunk, h, j, n] = S;  y[t, h, j] -= sum_n keys[t, h, n] S[n, j];
//   S = D S + sum_t w[t] k[t, n] y[t, h, j]
// with w[t] = beta times what is left of t's change at the chunk's last token, where that is of t's document,
// and D what is left of S there, where its document began before the chunk; both 0 where the next chunk
// begins with a document. y comes from gated_delta_rule_solve.wgsl; it becomes the errors.
// Where AFTER, S is the gradient of the state, chunks go from the last to the first, and:
//   states[chunk, h, j, n] = S;  y[t, h, j] += sum_n keys[t, h, n] S[n, j];
//   S = D S + sum_t exp(factors[t, h].x) (q[t, n] do_[t, h, j] - beta k[t, n] y[t, h, j])
// over the tokens of the document that began before the chunk. y becomes dchange.
// Buffers: y [T, HEADS DV]; states [CHUNKS, HEADS, DV, DK]; keys [T, HEADS DK]; k [T, HEADS / GROUP DK];
//   factors [T, HEADS] of vec2f; document_start [T] u32; where AFTER, q as k, and do_ as y.
// Constants: T, HEADS, GROUP, DK, DV, CHUNK, CHUNKS, TILE, TILES (of a head), AFTER.
// Threads: one workgroup a head and TILE columns; each invocation has a token of the chunk, then elements n.
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read_write> states: array<f32>;
@group(0) @binding(2) var<storage, read> keys: array<f32>;
@group(0) @binding(3) var<storage, read> k: array<f32>;
@group(0) @binding(4) var<storage, read> factors: array<vec2f>;
@group(0) @binding(5) var<storage, read> document_start: array<u32>;
#if AFTER
@group(0) @binding(6) var<storage, read> q: array<f32>;
@group(0) @binding(7) var<storage, read> do_: array<f32>;
var<workgroup> slopes: array<f32, CHUNK * TILE>;
#endif
var<workgroup> state: array<f32, DK * TILE>;
var<workgroup> changes: array<f32, CHUNK * TILE>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let head = group.x / TILES;
  let first = group.x % TILES * TILE;
  for (var i = local; i < DK * TILE; i += 64u) {
    state[i] = 0.0;
  }
  workgroupBarrier();
  for (var step = 0u; step < CHUNKS; step++) {
#if AFTER
    let chunk = CHUNKS - 1u - step;
#else
    let chunk = step;
#endif
    let begin = chunk * CHUNK;
    let count = min(T - begin, CHUNK);
    let last = begin + count - 1u;
    let began_before = document_start[last] < begin;
    for (var i = local; i < DK * TILE; i += 64u) {
      let j = first + i / DK;
      if (j < DV) {
        states[((chunk * HEADS + head) * DV + j) * DK + i % DK] = state[i % DK * TILE + i / DK];
      }
    }
    for (var place = local; place < count; place += 64u) {
      let t = begin + place;
      let factor = factors[t * HEADS + head];
#if AFTER
      let share = select(0.0, exp(factor.x), document_start[t] < begin);
      let weight = -share * factor.y;
#else
      let goes_on = last + 1u < T && document_start[min(last + 1u, T - 1u)] == document_start[t];
      let weight = select(0.0, exp(factors[last * HEADS + head].x - factor.x) * factor.y, goes_on);
#endif
      let row = (t * HEADS + head) * DK;
#repeat c TILE
      var seen$c = 0.0;
#endrepeat
      for (var n = 0u; n < DK; n++) {
        let key = keys[row + n];
#repeat c TILE
        seen$c += key * state[n * TILE + $c];
#endrepeat
      }
      let at = (t * HEADS + head) * DV + first;
#repeat c TILE
      var change$c = 0.0;
      if (first + $c < DV) {
#if AFTER
        change$c = y[at + $c] + seen$c;
        slopes[place * TILE + $c] = share * do_[at + $c];
#else
        change$c = y[at + $c] - seen$c;
#endif
        y[at + $c] = change$c;
      }
      changes[place * TILE + $c] = weight * change$c;
#endrepeat
    }
    workgroupBarrier();
#if AFTER
    let kept = select(0.0, exp(factors[last * HEADS + head].x), began_before);
#else
    let goes_on = last + 1u < T && document_start[min(last + 1u, T - 1u)] == document_start[last];
    let kept = select(0.0, exp(factors[last * HEADS + head].x), began_before && goes_on);
#endif
    for (var n = local; n < DK; n += 64u) {
#repeat c TILE
      var sum$c = kept * state[n * TILE + $c];
#endrepeat
      for (var place = 0u; place < count; place++) {
        let column = ((begin + place) * (HEADS / GROUP) + head / GROUP) * DK + n;
        let key = k[column];
#if AFTER
        let query = q[column];
#endif
#repeat c TILE
        sum$c += changes[place * TILE + $c] * key;
#if AFTER
        sum$c += slopes[place * TILE + $c] * query;
#endif
#endrepeat
      }
#repeat c TILE
      state[n * TILE + $c] = sum$c;
#endrepeat
    }
    workgroupBarrier();
  }
}
