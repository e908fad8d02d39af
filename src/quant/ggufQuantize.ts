/**
 * Weights as GGUF blocks, to the bit as gguf-py's quants.py (and ggml's quantize_row_*_ref) make them: blocks
 * of 32 consecutive elements, each with a binary16 scale ahead of its codes.
 */
import { float16Bits } from './halfFloats.ts';

const BLOCK = 32;

/** Q8_0: scale d = max|x| / 127, codes round(x / d) as signed bytes. @param values whole blocks */
export function quantizeQ8_0(values: Float32Array): Uint8Array {
  const blocks = wholeBlocks(values);
  const out = new Uint8Array(blocks * 34);
  const view = new DataView(out.buffer);
  for (let block = 0; block < blocks; block++) {
    const from = block * BLOCK;
    let largest = 0;
    for (let i = from; i < from + BLOCK; i++) largest = Math.max(largest, Math.abs(values[i]));
    const d = Math.fround(largest / 127);
    const inverse = d === 0 ? 0 : Math.fround(1 / d);
    view.setUint16(block * 34, float16Bits(d), true);
    for (let i = 0; i < BLOCK; i++)
      view.setInt8(block * 34 + 2 + i, roundHalfAway(Math.fround(values[from + i] * inverse)));
  }
  return out;
}

/**
 * Q4_0: scale d = x / −8 of the element x of largest magnitude, codes trunc(x / d + 8.5) up to 15; byte i of
 * a block holds element i in its low and element i + 16 in its high nibble.
 * @param values whole blocks
 */
export function quantizeQ4_0(values: Float32Array): Uint8Array {
  const blocks = wholeBlocks(values);
  const out = new Uint8Array(blocks * 18);
  const view = new DataView(out.buffer);
  for (let block = 0; block < blocks; block++) {
    const from = block * BLOCK;
    let extreme = values[from];
    for (let i = from + 1; i < from + BLOCK; i++)
      if (Math.abs(values[i]) > Math.abs(extreme)) extreme = values[i];
    const d = Math.fround(extreme / -8);
    const inverse = d === 0 ? 0 : Math.fround(1 / d);
    view.setUint16(block * 18, float16Bits(d), true);
    const code = (x: number) => Math.min(15, Math.max(0, Math.trunc(x * inverse + 8.5)));
    for (let i = 0; i < BLOCK / 2; i++)
      out[block * 18 + 2 + i] = code(values[from + i]) | (code(values[from + i + 16]) << 4);
  }
  return out;
}

/**
 * Q5_0: scale d = x / −16 of the element x of largest magnitude, codes trunc(x / d + 16.5) up to 31; their
 * fifth bits lie in a word of 32 bits ahead of the nibbles.
 * @param values whole blocks
 */
export function quantizeQ5_0(values: Float32Array): Uint8Array {
  const blocks = wholeBlocks(values);
  const out = new Uint8Array(blocks * 22);
  const view = new DataView(out.buffer);
  for (let block = 0; block < blocks; block++) {
    const from = block * BLOCK;
    let extreme = 0;
    for (let i = from; i < from + BLOCK; i++)
      if (Math.abs(values[i]) > Math.abs(extreme)) extreme = values[i];
    const d = Math.fround(extreme / -16);
    const inverse = d === 0 ? 0 : Math.fround(1 / d);
    const at = block * 22;
    view.setUint16(at, float16Bits(d), true);
    let fifths = 0;
    const code = (i: number) => {
      const scaled = Math.fround(Math.fround(values[from + i] * inverse) + 16.5);
      const made = Math.min(31, Math.trunc(scaled));
      fifths |= (made >> 4) << i;
      return made & 15;
    };
    for (let i = 0; i < BLOCK / 2; i++) out[at + 6 + i] = code(i) | (code(i + 16) << 4);
    view.setUint32(at + 2, fifths >>> 0, true);
  }
  return out;
}

function wholeBlocks(values: Float32Array): number {
  if (values.length % BLOCK !== 0)
    throw new Error(`${values.length} elements are no whole blocks of ${BLOCK}`);
  return values.length / BLOCK;
}

/** C's roundf. */
function roundHalfAway(x: number): number {
  return Math.sign(x) * Math.floor(Math.abs(x) + 0.5);
}
