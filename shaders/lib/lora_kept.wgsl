// In the body of a kernel on TOKENS rows: adds up sum<t>_<j>, PER_TOKENS rows by PER_QUADS quads of ranks an invocation, over the lanes, and hands each to
// keep(row, quad). Quads count from first_quad.
#repeat t PER_TOKENS
  {
#repeat j PER_QUADS
    lane_part[lane_slot($ju * TILES + tile, lane)] = sum$t_$j;
#end
    let total = lane_sum(local);
    if (local < PER_QUADS * TILES) {
      let owner = local % TILES;
      keep(t0, (owner / RANK_GROUPS) * PER_TOKENS + $tu, first_quad + (owner % RANK_GROUPS) * PER_QUADS + local / TILES, total);
    }
  }
#end
