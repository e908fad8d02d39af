/**
 * A weight larger than one binding (an embedding or a head: 128256×2048 in bfloat16 is 501 MiB, WebGPU promises 128) lies in several buffers,
 * each of so many whole rows, and each of its kernels runs once a slice.
 */
import { isNf4, type TensorKind } from '../../formats/tensors.ts';

export interface WeightSlice {
  /** First row. */
  first: number;
  rows: number;
}

/** Rows of a slice are a multiple of this, so that every slice takes the kernel that the whole would take. */
const ROW_MULTIPLES = [64, 4];

/** @param shape [rows, columns]; other ranks and NF4 (at half a byte an element) are never split @returns slices in order, as even as may be */
export function weightSlices(
  { shape, kind }: { shape: readonly number[]; kind?: TensorKind },
  maxBindingBytes: number,
): WeightSlice[] {
  const [rows, columns] = shape;
  const whole = [{ first: 0, rows }];
  if (shape.length !== 2 || kind === undefined || isNf4(kind)) return whole;
  const most = Math.floor(maxBindingBytes / (columns * (kind === 'f32' ? 4 : 2)));
  const multiple = ROW_MULTIPLES.find((size) => size <= most);
  // Where not even four rows fit, the plan says that the weight is too large.
  if (rows <= most || multiple === undefined) return whole;
  const count = Math.ceil(rows / (Math.floor(most / multiple) * multiple));
  const each = Math.ceil(rows / count / multiple) * multiple;
  return Array.from({ length: Math.ceil(rows / each) }, (_, i) => ({
    first: i * each,
    rows: Math.min(each, rows - i * each),
  }));
}
