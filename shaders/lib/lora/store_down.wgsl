// Part of the body of a kernel on TOKENS rows: adds up sum<t>_<j>, TOKENS_PER_THREAD rows by QUADS_PER_THREAD
// quads of ranks an invocation, over the lanes, and hands each to store_down(t0, row, quad, sum). Quads count
// from first_quad.
#repeat t TOKENS_PER_THREAD
  {
#repeat j QUADS_PER_THREAD
    lane_part[lane_slot($ju * TILES + tile, lane)] = sum$t_$j;
#endrepeat
    let total = lane_sum(local);
    if (local < QUADS_PER_THREAD * TILES) {
      let owner = local % TILES;
      store_down(
        t0,
        (owner / RANK_GROUPS) * TOKENS_PER_THREAD + $tu,
        first_quad + (owner % RANK_GROUPS) * QUADS_PER_THREAD + local / TILES,
        total,
      );
    }
  }
#endrepeat
