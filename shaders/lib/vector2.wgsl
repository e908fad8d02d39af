// How attention reads a head: D is a multiple of 2 here.
alias Vector = vec2f;
const WIDTH: u32 = 2u;
