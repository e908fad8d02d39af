/** Reads whole weights as float32 on the CPU, for the fallback and for checks of small models. */
import type { WeightSource } from '../../formats/tensors.ts';
import { weightRows } from '../../formats/weightRows.ts';

/** @returns [elements] float32, dequantised where the tensor is NF4 */
export async function weightValues(source: WeightSource, name: string): Promise<Float32Array> {
  const shape = source.tensors.get(name)?.shape;
  if (!shape) throw new Error(`The stored model has no tensor ${name}. Import it again.`);
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  let filled = 0;
  for await (const rows of weightRows(source, name)) {
    values.set(rows.values, filled);
    filled += rows.values.length;
  }
  return values;
}
