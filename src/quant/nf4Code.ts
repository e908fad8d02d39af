/**
 * The 16 NF4 code points, and the conversion of whole blocks of 64 weights to codes, directly from the
 * checkpoint's bytes. The result is always the code point nearest to fround(x · fround(1 / absmax)), and the
 * lower one of two equally near.
 */

import { halfToFloat } from './floatFormats.ts';

/** The 16 code points (QLoRA, arXiv:2305.14314). */
export const NF4_CODE = new Float32Array([
  -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
  -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
  0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
]);

export const BLOCK = 64;

/** Midpoints between neighbouring code points, float32, and infinity as a sixteenth. */
export const MIDDLES = new Float32Array([...middles(NF4_CODE), Infinity]);

export function middles(sorted: Float32Array): Float32Array {
  return Float32Array.from(
    { length: sorted.length - 1 },
    (_, i) => Math.fround(sorted[i] + sorted[i + 1]) / 2,
  );
}

/** Number of middles below x: ties go to the lower code. A binary search written out. */
function nearestCode(x: number): number {
  const m = MIDDLES;
  let code = x > m[7] ? 8 : 0;
  if (x > m[code + 3]) code += 4;
  if (x > m[code + 1]) code += 2;
  if (x > m[code]) code += 1;
  return code;
}

/** How a checkpoint writes the weights that are quantised. */
export type BlockDtype = 'F32' | 'F16' | 'BF16';

/**
 * Least and largest exponent (biased) of an absmax whose reciprocal and products are neither denormal nor
 * infinite.
 */
export const LEAST_EXPONENT = 16;
export const LARGEST_EXPONENT = 250;

/** Steps of [-1, 1): narrower than the least gap between middles, so a step holds at most one. */
const STEPS = 4096;
/** Code at the lower edge of each step. */
const CODE_OF_STEP = Uint8Array.from({ length: STEPS + 2 }, (_, step) =>
  nearestCode(Math.fround(step / (STEPS / 2) - 1)),
);

/**
 * A bfloat16's distance below its block's absmax, counted in representable numbers, up to which codes differ
 * from zero's.
 */
const DISTANCES = 1024;
let bf16Codes: Uint8Array | undefined;

/**
 * Codes of bfloat16 by [fraction of absmax (128)] [sign (2)] [distance below absmax in magnitude (1024)]: a
 * product with a power of two is exact, so the exponent of absmax does not matter.
 */
function codesOfBf16(): Uint8Array {
  if (bf16Codes) return bf16Codes;
  const codes = new Uint8Array(128 * 2 * DISTANCES);
  for (let fraction = 0; fraction < 128; fraction++) {
    const absmax = (127 << 7) | fraction;
    const inverse = Math.fround(1 / bf16(absmax));
    for (let distance = 0; distance < DISTANCES; distance++) {
      const x = Math.fround(bf16(absmax - distance) * inverse);
      codes[fraction * 2 * DISTANCES + distance] = nearestCode(x);
      codes[(fraction * 2 + 1) * DISTANCES + distance] = nearestCode(-x);
    }
  }
  return (bf16Codes = codes);
}

let f16Values: Float32Array | undefined;

/** Every binary16 as float32. */
function valuesOfF16(): Float32Array {
  return (f16Values ??= Float32Array.from({ length: 65536 }, (_, half) => halfToFloat(half)));
}

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

function bf16(bits: number): number {
  word[0] = bits << 16;
  return float[0];
}

const block = new Float32Array(BLOCK);
const blockBits = new Uint32Array(block.buffer);

/**
 * Quantises the first `count` blocks of some weights.
 * @param elements little-endian, as the checkpoint has them: float32 or the bits of binary16 or bfloat16
 * @param absmax gets each block's largest magnitude, from index `first` on: NaN or infinite where the block
 * holds such a weight
 * @param packed gets two codes a byte, the even element in the high nibble, from byte `at` on
 */
export function quantizeBlocks(
  dtype: BlockDtype,
  elements: Float32Array | Uint16Array,
  count: number,
  absmax: Float32Array,
  first: number,
  packed: Uint8Array,
  at: number,
): void {
  switch (dtype) {
    case 'BF16':
      return quantizeBf16(elements as Uint16Array, count, absmax, first, packed, at);
    case 'F16': {
      const values = valuesOfF16();
      for (let b = 0; b < count; b++) {
        for (let i = 0; i < BLOCK; i++) block[i] = values[elements[b * BLOCK + i]];
        absmax[first + b] = quantizeBlock(block, blockBits, 0, packed, at + (b * BLOCK) / 2);
      }
      return;
    }
    case 'F32': {
      const bits = new Uint32Array(elements.buffer, elements.byteOffset, count * BLOCK);
      for (let b = 0; b < count; b++)
        absmax[first + b] = quantizeBlock(
          elements as Float32Array,
          bits,
          b * BLOCK,
          packed,
          at + (b * BLOCK) / 2,
        );
    }
  }
}

/** @param bits the same memory @returns absmax */
function quantizeBlock(
  values: Float32Array,
  bits: Uint32Array,
  from: number,
  packed: Uint8Array,
  at: number,
): number {
  // Magnitudes compare as their bits do, and NaN and infinity are above every number.
  let largest = 0;
  for (let i = from; i < from + BLOCK; i++) {
    const magnitude = bits[i] & 0x7fffffff;
    if (magnitude > largest) largest = magnitude;
  }
  word[0] = largest;
  const absmax = float[0];
  const inverse = absmax > 0 ? Math.fround(1 / absmax) : 0;
  const exponent = largest >>> 23;
  if (exponent < LEAST_EXPONENT || exponent > LARGEST_EXPONENT) {
    for (let i = from; i < from + BLOCK; i += 2)
      packed[at++] =
        (nearestCode(Math.fround(values[i] * inverse)) << 4) |
        nearestCode(Math.fround(values[i + 1] * inverse));
    return absmax;
  }
  for (let i = from; i < from + BLOCK; i += 2) {
    const even = Math.fround(values[i] * inverse);
    const odd = Math.fround(values[i + 1] * inverse);
    let high = CODE_OF_STEP[((even + 1) * (STEPS / 2)) | 0];
    let low = CODE_OF_STEP[((odd + 1) * (STEPS / 2)) | 0];
    if (even > MIDDLES[high]) high++;
    if (odd > MIDDLES[low]) low++;
    packed[at++] = (high << 4) | low;
  }
  return absmax;
}

function quantizeBf16(
  bits: Uint16Array,
  count: number,
  absmax: Float32Array,
  first: number,
  packed: Uint8Array,
  at: number,
): void {
  const codes = codesOfBf16();
  for (let b = 0, from = 0; b < count; b++, from += BLOCK) {
    let largest = 0;
    for (let i = from; i < from + BLOCK; i++) {
      const magnitude = bits[i] & 0x7fff;
      if (magnitude > largest) largest = magnitude;
    }
    const exponent = largest >>> 7;
    if (exponent < LEAST_EXPONENT || exponent > LARGEST_EXPONENT) {
      for (let i = 0; i < BLOCK; i++) blockBits[i] = bits[from + i] << 16;
      absmax[first + b] = quantizeBlock(block, blockBits, 0, packed, at);
      at += BLOCK / 2;
      continue;
    }
    absmax[first + b] = bf16(largest);
    const row = (largest & 127) * 2 * DISTANCES;
    for (let i = from; i < from + BLOCK; i += 2) {
      const even = bits[i];
      const odd = bits[i + 1];
      let evenDistance = largest - (even & 0x7fff);
      let oddDistance = largest - (odd & 0x7fff);
      if (evenDistance >= DISTANCES) evenDistance = DISTANCES - 1;
      if (oddDistance >= DISTANCES) oddDistance = DISTANCES - 1;
      packed[at++] =
        (codes[row + (even >> 15) * DISTANCES + evenDistance] << 4) |
        codes[row + (odd >> 15) * DISTANCES + oddDistance];
    }
  }
}

/** Whether an element is NaN or infinite. @param elements as quantizeBlocks takes them */
export function hasNonFinite(dtype: BlockDtype, elements: Float32Array | Uint16Array): boolean {
  if (dtype === 'F32') {
    const bits = new Uint32Array(elements.buffer, elements.byteOffset, elements.length);
    let largest = 0;
    for (let i = 0; i < bits.length; i++) {
      const magnitude = bits[i] & 0x7fffffff;
      if (magnitude > largest) largest = magnitude;
    }
    return largest >= 0x7f800000;
  }
  const bits = elements as Uint16Array;
  let largest = 0;
  for (let i = 0; i < bits.length; i++) {
    const magnitude = bits[i] & 0x7fff;
    if (magnitude > largest) largest = magnitude;
  }
  return largest >= (dtype === 'BF16' ? 0x7f80 : 0x7c00);
}
