/**
 * The data that kernels are timed on: random numbers of the sizes that occur in training, and packed
 * documents.
 */
import type { Value } from '../graph/value.ts';
import { mix32, randomKey, randomUnit } from '../lib/counterRandom.ts';

/**
 * Bytes of a pattern; buffers are filled with it again and again. It is no multiple of a row's bytes, so rows
 * differ.
 */
export const PATTERN_BYTES = 2 ** 20 - 268;

/**
 * numbers: float32 in [-1, 1) · scales: float32 in [0.02, 0.04) · bf16 and f16: magnitudes from 0.0078 to
 * 0.031.
 */
export type Pattern = 'numbers' | 'bytes' | 'scales' | 'bf16' | 'f16';

const words = (word: (key: number) => number) => {
  const key = mix32(5);
  return Uint32Array.from({ length: PATTERN_BYTES / 4 }, (_, i) => word(randomKey(key, i)));
};
const floats = (number: (unit: number) => number) => {
  const key = mix32(6);
  return Float32Array.from({ length: PATTERN_BYTES / 4 }, (_, i) => number(randomUnit(randomKey(key, i))));
};

const PATTERNS: Record<Pattern, () => Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>> = {
  numbers: () => floats((unit) => 2 * unit - 1),
  bytes: () => words((key) => mix32(key)),
  scales: () => floats((unit) => 0.02 + 0.02 * unit),
  // The masks keep signs, fractions and the low bits of the exponents random, and fix the high bits of the
  // exponents.
  bf16: () => words((key) => (mix32(key) & 0x80ff80ff) | 0x3c003c00),
  f16: () => words((key) => (mix32(key) & 0x87ff87ff) | 0x20002000),
};

const made = new Map<Pattern, Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>>();

export function patternData(pattern: Pattern): Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer> {
  let data = made.get(pattern);
  if (!data) made.set(pattern, (data = PATTERNS[pattern]()));
  return data;
}

/** Documents that share the T tokens of a micro-batch: the default of per_device_train_batch_size. */
const DOCUMENTS = 4;

/** Contents of an integer input: the borders of documents of equal length, or zeros. */
export function integerData({ name, shape }: Value): Uint32Array<ArrayBuffer> {
  const count = shape.reduce((a, b) => a * b, 1);
  const length = Math.ceil(count / DOCUMENTS);
  const start = (t: number) => Math.floor(t / length) * length;
  return Uint32Array.from({ length: count }, (_, t) =>
    name === 'documentStart' ? start(t) : name === 'documentEnd' ? Math.min(start(t) + length, count) : 0,
  );
}
