/** Adapters whose modules have ranks or alphas of their own, brought to one rank and one alpha. */
import { loraScale, type LoraScaling } from './loraScale.ts';
import type { Float32Tensor } from './tensors.ts';

export type ModuleScaling = Omit<LoraScaling, 'use_rslora'>;

const PREFIX = 'base_model.model.';

/**
 * The same function with one rank, the largest, and the settings' alpha: A and B get rows and columns of
 * zeros, and B the factor by which a module's own scale differs.
 * @param tensors float32 under PEFT's names; changed in place
 * @param own rank and alpha of each module
 * @returns the settings with the common rank, and whether anything had to be changed
 */
export function withOneRank<S extends LoraScaling>(
  tensors: Map<string, Float32Tensor>,
  settings: S,
  own: ReadonlyMap<string, ModuleScaling>,
): { settings: S; evened: boolean } {
  let r = 0;
  for (const module of own.values()) r = Math.max(r, module.r);
  const common = { ...settings, r };
  let evened = false;
  for (const [module, scaling] of own) {
    const factor = loraScale({ ...scaling, use_rslora: settings.use_rslora }) / loraScale(common);
    if (scaling.r === r && factor === 1) continue;
    evened = true;
    const [nameA, nameB] = ['A', 'B'].map((matrix) => `${PREFIX}${module}.lora_${matrix}.weight`);
    const [a, b] = [tensors.get(nameA!)!, tensors.get(nameB!)!];
    const width = a.shape[1]!;
    const out = b.shape[0]!;
    const paddedA = new Float32Array(r * width);
    paddedA.set(a.data);
    const paddedB = new Float32Array(out * r);
    for (let row = 0; row < out; row++)
      for (let k = 0; k < scaling.r; k++) paddedB[row * r + k] = b.data[row * scaling.r + k]! * factor;
    tensors.set(nameA!, { shape: [r, width], data: paddedA });
    tensors.set(nameB!, { shape: [out, r], data: paddedB });
  }
  return { settings: common, evened };
}
