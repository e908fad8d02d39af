// Reads elements i to i + 3 of an NF4 tensor with float32 scales.
#include "lib/nf4_f32.wgsl"
#include "lib/nf4_element4.wgsl"
