#repeat h HALF_M
      let a$h_0 = vec4f(a_tile[k * 4u * A_STRIDE + y + $hu * ROWS]);
      let a$h_1 = vec4f(a_tile[(k * 4u + 1u) * A_STRIDE + y + $hu * ROWS]);
      let a$h_2 = vec4f(a_tile[(k * 4u + 2u) * A_STRIDE + y + $hu * ROWS]);
      let a$h_3 = vec4f(a_tile[(k * 4u + 3u) * A_STRIDE + y + $hu * ROWS]);
#end
#repeat i PER_M
      let row$i = vec4f(a$(i/4)_0[$(i%4)], a$(i/4)_1[$(i%4)], a$(i/4)_2[$(i%4)], a$(i/4)_3[$(i%4)]);
#end
