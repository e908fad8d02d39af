/**
 * Blocks on which the quantisation of the GPU is compared with the CPU's: what rounds, and what nearly does.
 */
import { mix32 } from '../lib/counterRandom.ts';
import { BLOCK, MIDDLES, NF4_CODE, type BlockDtype } from '../quant/nf4Code.ts';

/** Half of the blocks random, half with the middles times absmax and their neighbours. */
export function testElements(dtype: BlockDtype, blocks: number): Float32Array | Uint16Array {
  const values = Float32Array.from({ length: blocks * BLOCK }, (_, i) => {
    const block = Math.floor(i / BLOCK);
    const scale = 2 ** ((mix32(block) % 24) - 13) * (1 + (mix32(block + 7) % 1000) / 1000);
    const random = (mix32(i + 99991) / 2 ** 31 - 1) * 0.98 * scale;
    const place = i % BLOCK;
    if (place === 0) return scale;
    if (block % 2 === 0 || place > 60) return random;
    const near = MIDDLES[Math.floor((place - 1) / 4)] * scale;
    return place % 4 === 0
      ? NF4_CODE[(place / 4) % 16] * scale
      : near * (1 + ((place % 4) - 2) * 2 ** (dtype === 'F32' ? -23 : dtype === 'F16' ? -10 : -7));
  });
  if (dtype === 'F32') return values;
  const words = new Uint32Array(values.buffer);
  if (dtype === 'BF16') return Uint16Array.from(words, (word) => word >>> 16);
  return Uint16Array.from(words, (word) => {
    const exponent = ((word >>> 23) & 255) - 112;
    const sign = (word >>> 16) & 0x8000;
    return exponent > 0 ? sign | (Math.min(exponent, 30) << 10) | ((word >>> 13) & 1023) : sign;
  });
}
