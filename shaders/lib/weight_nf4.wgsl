// Reads element i of an NF4 tensor with double-quantised scales.
#include "lib/nf4.wgsl"
#include "lib/nf4_element.wgsl"
