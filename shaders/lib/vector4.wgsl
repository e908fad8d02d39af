// How attention reads a head: D is a multiple of 4 here.
alias Vector = vec4f;
const WIDTH: u32 = 4u;
