// The codes of an NF4 tensor, 8 a word; byte order as stored, the even element in the high nibble.
@group(0) @binding(4) var<storage, read> weight_packed: array<u32>;
