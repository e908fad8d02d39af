/**
 * A weight larger than one binding (an embedding or a head: 128256×2048 in bfloat16 is 501 MiB, WebGPU
 * promises 128) is split into slices of whole rows, each in a buffer of its own, and each of its kernels runs
 * once for each slice.
 */
import { isGguf, isNf4, type TensorKind } from '../../formats/tensors.ts';

/** Most bytes that a weight may take dequantised: the smallest binding that WebGPU promises. */
export const MAX_DEQUANTISED_BYTES = 128 * 1024 * 1024;

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
  // GGUF blocks are dequantised to float32 ahead of a product, a slice at a time.
  const most = isGguf(kind) ? Math.min(maxBindingBytes, MAX_DEQUANTISED_BYTES) : maxBindingBytes;
  const mostRows = Math.floor(most / (columns * (kind === 'f32' || isGguf(kind) ? 4 : 2)));
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
