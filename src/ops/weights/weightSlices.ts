/**
 * A weight larger than one binding (an embedding or a head: 128256×2048 in bfloat16 is 501 MiB, WebGPU
 * promises 128) is split into slices of whole rows, each in a buffer of its own, and each of its kernels runs
 * once for each slice.
 */
import { isNf4, type TensorKind } from '../../formats/tensors.ts';

export interface WeightSlice {
  /** First row. */
  first: number;
  rows: number;
}

/**
 * Rows of a slice are a multiple of the first of these that fits: each slice then takes the kernel of the
 * whole.
 */
const ROW_MULTIPLES = [64, 4];

/**
 * @param shape [rows, columns]; weights of other ranks, and NF4 at half a byte for each element, are never
 * split
 * @returns slices in order, as even as the multiples allow
 */
export function weightSlices(
  { shape, kind }: { shape: readonly number[]; kind?: TensorKind },
  maxBindingBytes: number,
): WeightSlice[] {
  const [rows, columns] = shape;
  const whole = [{ first: 0, rows }];
  if (shape.length !== 2 || kind === undefined || isNf4(kind)) return whole;
  const mostRows = Math.floor(maxBindingBytes / (columns * (kind === 'f32' ? 4 : 2)));
  const multiple = ROW_MULTIPLES.find((size) => size <= mostRows);
  // Where not even four rows fit, the plan reports that the weight is too large.
  if (rows <= mostRows || multiple === undefined) return whole;
  const count = Math.ceil(rows / (Math.floor(mostRows / multiple) * multiple));
  const rowsPerSlice = Math.ceil(rows / count / multiple) * multiple;
  return Array.from({ length: Math.ceil(rows / rowsPerSlice) }, (_, i) => ({
    first: i * rowsPerSlice,
    rows: Math.min(rowsPerSlice, rows - i * rowsPerSlice),
  }));
}
