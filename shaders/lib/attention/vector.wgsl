// How attention reads a head: by vectors of VECTOR_WIDTH, 4 or 2, which divides D.
#if VECTOR_WIDTH == 4
alias Vector = vec4f;
#else
alias Vector = vec2f;
#endif
