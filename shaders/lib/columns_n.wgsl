#repeat j HALF_N
      let b0_$j = vec4f(b_tile[k * 4u * B_STRIDE + x + $ju * COLUMNS]);
      let b1_$j = vec4f(b_tile[(k * 4u + 1u) * B_STRIDE + x + $ju * COLUMNS]);
      let b2_$j = vec4f(b_tile[(k * 4u + 2u) * B_STRIDE + x + $ju * COLUMNS]);
      let b3_$j = vec4f(b_tile[(k * 4u + 3u) * B_STRIDE + x + $ju * COLUMNS]);
#end
