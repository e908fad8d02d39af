// Part of the body of a tiled attention kernel: adds the rows of key_tile, each times its factor of
// factor_tile, to sum<r>_<d>.
#repeat s 8
    {
      let s = $su;
#repeat r ROWS_PER_THREAD
      let factor$r = factor_tile[(y + $ru * ACROSS) * SLOT_STRIDE + s];
#endrepeat
#repeat d VECTORS_PER_THREAD
      let column$d = min(x + $du * 8u, N - 1u);
      let v$d_0 = key_tile[s * STRIDE + column$d];
      let v$d_1 = key_tile[(s + 8u) * STRIDE + column$d];
      let v$d_2 = key_tile[(s + 16u) * STRIDE + column$d];
      let v$d_3 = key_tile[(s + 24u) * STRIDE + column$d];
#repeat r ROWS_PER_THREAD
      sum$r_$d = fma(vec4f(factor$r.x), v$d_0, sum$r_$d);
      sum$r_$d = fma(vec4f(factor$r.y), v$d_1, sum$r_$d);
      sum$r_$d = fma(vec4f(factor$r.z), v$d_2, sum$r_$d);
      sum$r_$d = fma(vec4f(factor$r.w), v$d_3, sum$r_$d);
#endrepeat
#endrepeat
    }
#endrepeat
