// The type of what a kernel stores of a matrix: float32, or float16 (TILE_F16), which halves the traffic of
// workgroup memory. Products and sums are float32 in both cases.
#if TILE_F16
enable f16;
alias Tile = vec4<f16>;
alias Scalar = f16;
#else
alias Tile = vec4f;
alias Scalar = f32;
#endif
