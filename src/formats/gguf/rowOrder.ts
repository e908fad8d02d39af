/**
 * The order of heads and of their rows in GGUF files. llama.cpp rotates neighbouring elements of a head,
 * transformers one half of it with the other, so llama.cpp's converter lays row i of a head's first half and
 * row i of its second side by side (LlamaModel.permute of convert_hf_to_gguf.py). Value heads of gated delta
 * nets lie by their place within the heads of a key head (_reorder_v_heads of its qwen.py).
 */
import type { HeadOrder } from '../sourceCheckpoint.ts';

/**
 * Rows in the Hub's order → rows in llama.cpp's.
 * @param values [rows, width], or [rows] with width 1 @returns a copy
 */
export function permuteRows(values: Float32Array, rows: number, width: number, heads: number): Float32Array {
  const headRows = rows / heads;
  const half = headRows / 2;
  if (!Number.isInteger(half)) throw new Error(`${rows} rows do not make ${heads} heads of two halves`);
  const from = (within: number) => (within % 2) * half + Math.floor(within / 2);
  return reorder(values, new Float32Array(values.length), width, headRows, from);
}

/** Rows of whole heads in llama.cpp's order → rows in the Hub's, as a copy: the inverse of `permuteRows`. */
export function unpermuteRows(bytes: Uint8Array, rowBytes: number, headRows: number): Uint8Array {
  const half = headRows / 2;
  const from = (within: number) => (within < half ? 2 * within : 2 * (within - half) + 1);
  return reorder(bytes, new Uint8Array(bytes.length), rowBytes, headRows, from);
}

/** @param from the row of a head that comes to a place in it @returns `out`, filled */
function reorder<T extends Uint8Array | Float32Array>(
  values: T,
  out: T,
  width: number,
  headRows: number,
  from: (within: number) => number,
): T {
  for (let row = 0; row < values.length / width; row++) {
    const within = row % headRows;
    const source = row - within + from(within);
    out.set(values.subarray(source * width, (source + 1) * width), row * width);
  }
  return out;
}

/** Units of the Hub's order → where each lies in a GGUF; a unit is a row or a column. */
export function* headUnits({
  first,
  keyHeads,
  perKey,
  size,
}: HeadOrder): Generator<[unit: number, count: number]> {
  if (first > 0) yield [0, first];
  for (let key = 0; key < keyHeads; key++)
    for (let place = 0; place < perKey; place++) yield [first + (place * keyHeads + key) * size, size];
}

/**
 * Columns of rows in a GGUF's order → in the Hub's, as a copy.
 * @param unit elements of `values` a column
 */
export function orderColumns<T extends Uint8Array | Float32Array>(
  values: T,
  rowLength: number,
  unit: number,
  order: HeadOrder,
): T {
  const out = values.slice() as T;
  for (let row = 0; row < values.length; row += rowLength) {
    let to = row;
    for (const [from, count] of headUnits(order)) {
      const begin = row + from * unit;
      out.set(values.subarray(begin, begin + count * unit), to);
      to += count * unit;
    }
  }
  return out;
}
