import type { TensorKind } from '../formats/tensors.ts';

/**
 * A positive number at the precision of a 16-bit kind: 7 bits after the leading one in bfloat16, 10 in
 * float16.
 */
export function roundTo(kind: TensorKind, value: number): number {
  if (kind !== 'bf16' && kind !== 'f16') return value;
  const step = 2 ** (Math.floor(Math.log2(value)) - (kind === 'bf16' ? 7 : 10));
  return Math.round(value / step) * step;
}
