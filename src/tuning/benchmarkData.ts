/** Random data that measurements of kernels work on, made once. */
import { mix32, randomKey, randomUnit } from '../lib/counterRandom.ts';

/** Bytes of a pattern that fills buffers again and again: no multiple of a row's, so that rows differ. */
export const PATTERN_BYTES = 2 ** 20 - 268;

/** What buffers are filled with: numbers of the sizes that occur in training. */
export type Pattern = 'numbers' | 'bytes' | 'scales' | 'bf16' | 'f16';

const words = (word: (key: number, i: number) => number) => {
  const key = mix32(5);
  return Uint32Array.from({ length: PATTERN_BYTES / 4 }, (_, i) => word(randomKey(key, i), i));
};
const floats = (number: (unit: number) => number) => {
  const key = mix32(6);
  return Float32Array.from({ length: PATTERN_BYTES / 4 }, (_, i) => number(randomUnit(randomKey(key, i))));
};

const PATTERNS: Record<Pattern, () => Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>> = {
  numbers: () => floats((unit) => 2 * unit - 1),
  bytes: () => words((key) => mix32(key)),
  scales: () => floats((unit) => 0.02 + 0.02 * unit),
  // Either sign, 0.0078 to 0.031.
  bf16: () => words((key) => (mix32(key) & 0x80ff80ff) | 0x3c003c00),
  // Either sign, 0.0078 to 0.031 too.
  f16: () => words((key) => (mix32(key) & 0x87ff87ff) | 0x20002000),
};

const made = new Map<Pattern, Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>>();

export function patternData(pattern: Pattern): Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer> {
  let data = made.get(pattern);
  if (!data) made.set(pattern, (data = PATTERNS[pattern]()));
  return data;
}
