// The block that first0, first1, ... hold becomes rows 0 to 31 of the stage. The indices are written out,
// so that a compiler sees that they lie within the tile.
#repeat e FD
    {
      let half = vec4<f16>(first$e);
      let at = ((local + $eu * 128u) / N) * STAGE_STRIDE + (local + $eu * 128u) % N * 4u;
      stage[at] = half.x;
      stage[at + 1u] = half.y;
      stage[at + 2u] = half.z;
      stage[at + 3u] = half.w;
    }
#endrepeat
