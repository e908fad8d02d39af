#repeat j HALF_N
      let c0_$j = vec4f(b_tile[(x + ($ju * 4u) * COLUMNS) * B_STRIDE + k]);
      let c1_$j = vec4f(b_tile[(x + ($ju * 4u + 1u) * COLUMNS) * B_STRIDE + k]);
      let c2_$j = vec4f(b_tile[(x + ($ju * 4u + 2u) * COLUMNS) * B_STRIDE + k]);
      let c3_$j = vec4f(b_tile[(x + ($ju * 4u + 3u) * COLUMNS) * B_STRIDE + k]);
      let b0_$j = vec4f(c0_$j.x, c1_$j.x, c2_$j.x, c3_$j.x);
      let b1_$j = vec4f(c0_$j.y, c1_$j.y, c2_$j.y, c3_$j.y);
      let b2_$j = vec4f(c0_$j.z, c1_$j.z, c2_$j.z, c3_$j.z);
      let b3_$j = vec4f(c0_$j.w, c1_$j.w, c2_$j.w, c3_$j.w);
#end
