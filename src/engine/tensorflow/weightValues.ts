/** Reads whole weights as float32 on the CPU, for the fallback and for checks of small models. */
import type { WeightSource } from '../../formats/tensors.ts';
import { weightRows } from '../../formats/weightRows.ts';
import type { TensorFlow, TensorFlowTensor } from '../../graph/tensorflowTypes.ts';
import type { EngineOptions } from '../engine.ts';

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

/** @returns every weight that graphs read whole as a float32 tensor by its name; the caller disposes them */
export async function weightTensors(
  tf: TensorFlow,
  { weights: source, onProgress }: Pick<EngineOptions, 'weights' | 'onProgress'>,
): Promise<Map<string, TensorFlowTensor>> {
  const tensors = new Map<string, TensorFlowTensor>();
  for (const [name, { shape, byRows }] of source.tensors) {
    // Rows of such a table are an input (hostRows.ts).
    if (byRows) continue;
    tensors.set(name, tf.tensor(await weightValues(source, name), shape));
    onProgress?.({ phase: 'weights', done: tensors.size, total: source.tensors.size, unit: 'bytes' });
  }
  return tensors;
}
