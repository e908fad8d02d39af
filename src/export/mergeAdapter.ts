/**
 * The weights of a model with an adapter in them: W + s B A, and for DoRA its rows brought to their
 * magnitudes.
 */
import type { PeftSettings } from '../formats/peft.ts';
import type { Float32Tensor, WeightSource } from '../formats/tensors.ts';
import { UserError } from '../lib/errors.ts';
import { loraScale } from '../formats/loraScale.ts';
import { weightRows, type WeightRows } from '../formats/weightRows.ts';

/** The matrices of one adapted module. */
interface ModuleDelta {
  /** [r, in] */
  a: Float32Tensor;
  /** [out, r] */
  b: Float32Tensor;
  /** DoRA's magnitude of each row, [out]. */
  magnitude?: Float32Tensor;
  /** α/r or α/√r. */
  scale: number;
}

/** An adapter by the names of the weights that it changes. */
export type MergeDeltas = ReadonlyMap<string, ModuleDelta>;

/**
 * @param tensors float32 under PEFT's names
 * @param weights of the base model: every adapted module must have a weight of the adapter's shape in it
 * @throws UserError naming a module that the base model lacks or has in another shape
 */
export function mergeDeltas(
  tensors: ReadonlyMap<string, Float32Tensor>,
  settings: Pick<PeftSettings, 'r' | 'lora_alpha' | 'use_rslora'>,
  weights: WeightSource['tensors'],
): MergeDeltas {
  const scale = loraScale(settings);
  const deltas = new Map<string, ModuleDelta>();
  for (const [name, a] of tensors) {
    const [, module] = /^base_model\.model\.(.+)\.lora_A\.weight$/.exec(name) ?? [];
    if (module === undefined) continue;
    const stem = `base_model.model.${module}`;
    const b = tensors.get(`${stem}.lora_B.weight`)!;
    const magnitude =
      tensors.get(`${stem}.lora_magnitude_vector`) ?? tensors.get(`${stem}.lora_magnitude_vector.weight`);
    const weight = weights.get(`${module}.weight`);
    if (weight?.shape.join() !== [b.shape[0], a.shape[1]].join())
      throw new UserError(
        `The adapter's ${module} is [${b.shape[0]}, ${a.shape[1]}], but the base model ` +
          `${weight ? `has it as [${weight.shape}]` : 'has no such module'}. Choose the base model that it was trained on.`,
      );
    deltas.set(`${module}.weight`, { a, b, scale, ...(magnitude && { magnitude }) });
  }
  return deltas;
}

/**
 * The rows of one merged weight in order; of a weight without an adapter the base's own. Each element is
 * summed in float64 and rounded once to float32. The values are read before the next rows are asked for.
 */
export async function* mergedRows(
  source: WeightSource,
  name: string,
  deltas: MergeDeltas,
): AsyncGenerator<WeightRows> {
  const delta = deltas.get(name);
  let merged = new Float32Array(0);
  for await (const rows of weightRows(source, name)) {
    if (!delta) {
      yield rows;
      continue;
    }
    const { length } = rows.values;
    if (merged.length < length) merged = new Float32Array(length);
    withDelta(rows, delta, merged);
    yield { first: rows.first, values: merged.subarray(0, length) };
  }
}

/** @param merged receives the rows */
function withDelta(
  { first, values }: WeightRows,
  { a, b, magnitude, scale }: ModuleDelta,
  merged: Float32Array,
): void {
  const [rank, width] = a.shape;
  const sum = new Float64Array(width);
  for (let row = 0; row < values.length / width; row++) {
    sum.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = b.data[(first + row) * rank + k];
      if (factor === 0) continue;
      const from = k * width;
      for (let i = 0; i < width; i++) sum[i] += factor * a.data[from + i];
    }
    const at = row * width;
    let squares = 0;
    for (let i = 0; i < width; i++) {
      const value = values[at + i] + scale * sum[i];
      sum[i] = value;
      squares += value * value;
    }
    const factor = magnitude ? magnitude.data[first + row] / Math.sqrt(squares) : 1;
    for (let i = 0; i < width; i++) merged[at + i] = sum[i] * factor;
  }
}
