/**
 * Several adapters brought to one layout, so that one engine plays each of them without loading weights
 * again.
 */
import type { AdapterTensors, LoraSettings } from '../engine/engine.ts';
import { mergeDeltas, mergedRows } from '../export/mergeAdapter.ts';
import { loraScale } from '../formats/loraScale.ts';
import type { ReadAdapter } from '../formats/peft.ts';
import type { Float32Tensor, WeightSource } from '../formats/tensors.ts';
import { fittingLora } from '../import/startingAdapter.ts';
import { largest } from '../lib/extremes.ts';
import { peftMagnitudeName, peftName } from '../model/adapterLayout.ts';
import { modelOf } from '../model/families/registry.ts';

export interface AdapterSet {
  lora: LoraSettings;
  /** Of each adapter by its name, in the layout of `lora`. */
  tensors: ReadonlyMap<string, AdapterTensors>;
}

/**
 * Adapters of one shape stay as they are. Others get the largest rank, by zeros, and their scale as a factor
 * of B; modules that one lacks get zeros, and where another has DoRA's magnitudes, those that change nothing.
 * @throws UserError where an adapter does not fit the model
 */
export async function adapterSet(
  adapters: ReadonlyMap<string, ReadAdapter>,
  weights: WeightSource,
  modelName: string,
): Promise<AdapterSet> {
  const model = modelOf(weights.config);
  const shapes = [...adapters.values()].map((adapter) => fittingLora(adapter, model, modelName));
  const [first] = shapes;
  // An engine has at least one adapter; the base model alone answers beside one that is zero.
  if (!first) return { lora: NOTHING, tensors: new Map() };
  const played = (lora: LoraSettings): LoraSettings => ({ ...lora, lora_dropout: 0 });
  if (shapes.every((shape) => sameLayout(shape, first)))
    return {
      lora: played(first),
      tensors: new Map([...adapters].map(([name, { tensors }]) => [name, tensors])),
    };
  const modules = [...new Set([...adapters.values()].flatMap((adapter) => adapter.modules))].sort();
  const r = largest(shapes.map((shape) => shape.r));
  const use_dora = shapes.some((shape) => shape.use_dora);
  const lora = { r, lora_alpha: r, lora_dropout: 0, use_rslora: false, use_dora, target_modules: modules };
  const tensors = new Map<string, AdapterTensors>();
  for (const [name, adapter] of adapters) {
    const padded = paddedTo(adapter, modules, r, weights);
    if (use_dora) await addMagnitudes(padded, adapter, modules, lora, weights);
    tensors.set(name, padded);
  }
  return { lora, tensors };
}

/** Where there is no adapter at all. */
const NOTHING: LoraSettings = {
  r: 1,
  lora_alpha: 1,
  lora_dropout: 0,
  use_rslora: false,
  use_dora: false,
  target_modules: 'all-linear',
};

function sameLayout(a: LoraSettings, b: LoraSettings): boolean {
  return (
    a.r === b.r &&
    loraScale(a) === loraScale(b) &&
    a.use_dora === b.use_dora &&
    JSON.stringify(a.target_modules) === JSON.stringify(b.target_modules)
  );
}

function paddedTo(
  { tensors, settings }: ReadAdapter,
  modules: readonly string[],
  r: number,
  weights: WeightSource,
): Map<string, Float32Tensor> {
  const scale = loraScale(settings);
  const padded = new Map<string, Float32Tensor>();
  for (const module of modules) {
    const [out, width] = weights.tensors.get(`${module}.weight`)!.shape as [number, number];
    const [nameA, nameB] = [peftName(module, 'A'), peftName(module, 'B')];
    const a = new Float32Array(r * width);
    const b = new Float32Array(out * r);
    const own = tensors.get(nameA);
    if (own) {
      a.set(own.data);
      const rank = own.shape[0];
      const from = tensors.get(nameB)!.data;
      for (let row = 0; row < out; row++)
        for (let k = 0; k < rank; k++) b[row * r + k] = from[row * rank + k] * scale;
    }
    padded.set(nameA, { shape: [r, width], data: a });
    padded.set(nameB, { shape: [out, r], data: b });
  }
  return padded;
}

/**
 * DoRA's magnitudes: the adapter's own, else the norms of the rows as they are, by which nothing is changed.
 */
async function addMagnitudes(
  padded: Map<string, Float32Tensor>,
  adapter: ReadAdapter,
  modules: readonly string[],
  lora: LoraSettings,
  weights: WeightSource,
): Promise<void> {
  const deltas = mergeDeltas(padded, lora, weights.tensors);
  for (const module of modules) {
    const name = peftMagnitudeName(module);
    padded.set(
      name,
      adapter.tensors.get(name) ??
        (await rowNorms(mergedRows(weights, `${module}.weight`, deltas), padded, module)),
    );
  }
}

async function rowNorms(
  rows: ReturnType<typeof mergedRows>,
  padded: ReadonlyMap<string, Float32Tensor>,
  module: string,
): Promise<Float32Tensor> {
  const [out] = padded.get(peftName(module, 'B'))!.shape;
  const [, width] = padded.get(peftName(module, 'A'))!.shape;
  const norms = new Float32Array(out);
  for await (const { first, values } of rows)
    for (let row = 0; row < values.length / width; row++) {
      let squares = 0;
      for (let i = row * width; i < (row + 1) * width; i++) squares += values[i] * values[i];
      norms[first + row] = Math.sqrt(squares);
    }
  return { shape: [out], data: norms };
}
