// Part of the body of a tiled product: a_next<i> = the fours of A's tile at terms `to_read` and on that an
// invocation brings, zeros past `last` unless K_ALIGNED. One switch has all reads of a problem, so that they
// do not wait for one another.
#if GROUPED == terms
    switch (problem) {
#repeat g PROBLEMS
      case $gu: {
#repeat i A_LOADS
        if (K_ALIGNED || to_read + a_k(t + $iu * THREADS) < last) {
          a_next$i = a$g[a_index(t + $iu * THREADS, m0, a_at$i, to_read)];
        } else {
          a_next$i = vec4f();
        }
#endrepeat
      }
#endrepeat
      default: {}
    }
#else
#repeat i A_LOADS
    if (K_ALIGNED || to_read + a_k(t + $iu * THREADS) < last) {
      a_next$i = a[a_index(t + $iu * THREADS, m0, a_at$i, to_read)];
    } else {
      a_next$i = vec4f();
    }
#endrepeat
#endif
