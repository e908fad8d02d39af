// The block that second0, second1, ... hold becomes rows 32 to 63 of the stage, as matrix_stage_first.wgsl
// has it.
#repeat e FD
    {
      let half = vec4<f16>(second$e);
      let at = (32u + (local + $eu * 128u) / N) * STAGE_STRIDE + (local + $eu * 128u) % N * 4u;
      stage[at] = half.x;
      stage[at + 1u] = half.y;
      stage[at + 2u] = half.z;
      stage[at + 3u] = half.w;
    }
#endrepeat
