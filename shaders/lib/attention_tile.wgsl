// What the tiled attention kernels share: 64 invocations in 8 x 8; an invocation owns rows y, y + 8, ... of a block of BLOCK rows, and columns
// x, x + 8, x + 16, x + 24 of 32. Four columns a vec4 in that order, so that neighbours read neighbouring banks and every vec4 has one writer.
const N: u32 = D / 4u;
const STRIDE: u32 = N | 1u;
const SLOTS: u32 = 8u;
const SLOT_STRIDE: u32 = 9u;
const COLUMNS: u32 = 32u;
const PER_ROW: u32 = BLOCK / 8u;
// vec4 of a head that an invocation owns: x, x + 8, ...
const PER_HEAD: u32 = (N + 7u) / 8u;
const KEY_HEADS: u32 = HEADS / GROUP;
