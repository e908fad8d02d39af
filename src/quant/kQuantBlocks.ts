/** What the quantisers of K-quants share. */

/** Weights of a block. */
export const QK = 256;

/** The nearest whole number, halves to the even one, of a float32 below 2^22. */
export function nearest(value: number): number {
  return Math.fround(Math.fround(value) + 12582912) - 12582912;
}

export function clamp(value: number, least: number, most: number): number {
  return value < least ? least : value > most ? most : value;
}

/** @throws Error where the values are no whole blocks */
export function wholeBlocks(values: Float32Array): number {
  if (values.length % QK !== 0) throw new Error(`${values.length} values are no whole blocks of ${QK}`);
  return values.length / QK;
}
