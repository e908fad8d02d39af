// Operands are rounded to float16 in workgroup memory, which halves its traffic; products and sums stay float32.
enable f16;
alias Tile = vec4<f16>;
alias Scalar = f16;
