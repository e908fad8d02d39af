// Part of the body of a tiled attention kernel, for the i-th vec4 of a head: adds q . k of an invocation's
// rows and its four keys to product<r>.
      let k0 = key_tile[x * STRIDE + i];
      let k1 = key_tile[(x + 8u) * STRIDE + i];
      let k2 = key_tile[(x + 16u) * STRIDE + i];
      let k3 = key_tile[(x + 24u) * STRIDE + i];
      let keys_x = vec4f(k0.x, k1.x, k2.x, k3.x);
      let keys_y = vec4f(k0.y, k1.y, k2.y, k3.y);
      let keys_z = vec4f(k0.z, k1.z, k2.z, k3.z);
      let keys_w = vec4f(k0.w, k1.w, k2.w, k3.w);
#repeat r ROWS_PER_THREAD
      let row$r = q_tile[(y + $ru * ACROSS) * STRIDE + i];
      product$r = fma(vec4f(row$r.x), keys_x, product$r);
      product$r = fma(vec4f(row$r.y), keys_y, product$r);
      product$r = fma(vec4f(row$r.z), keys_z, product$r);
      product$r = fma(vec4f(row$r.w), keys_w, product$r);
#endrepeat
