#repeat i PER_M
      let row$i = vec4f(a_tile[(y + $iu * ROWS) * A_STRIDE + k]);
#end
