// Operands keep their float32 in workgroup memory.
alias Tile = vec4f;
alias Scalar = f32;
