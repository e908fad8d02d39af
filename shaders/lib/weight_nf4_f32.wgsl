// Reads element i of an NF4 tensor with float32 scales.
#include "lib/nf4_f32.wgsl"
#include "lib/nf4_element.wgsl"
