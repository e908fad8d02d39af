/**
 * Several LoRA adapters blended into one, as PEFT's add_weighted_adapter does with combination_type "linear":
 * with the scale s of an adapter and its weight w, A = Σ ±√|w s| A_i and B = Σ √|w s| B_i, the sign that of
 * w s; lora_alpha becomes r. The product of two sums is not the sum of the products: PEFT calls it a rough
 * approximation, and a blend of equal adapters with weights that add up to 1 is none of them exactly.
 */
import { UserError } from '../../lib/errors.ts';
import { loraScale } from '../loraScale.ts';
import type { ReadAdapter } from '../peft.ts';
import type { Float32Tensor } from '../tensors.ts';

export interface BlendedAdapter {
  name: string;
  adapter: Pick<ReadAdapter, 'settings' | 'tensors' | 'evened'>;
  weight: number;
}

/**
 * @returns settings and tensors of the blend, new arrays
 * @throws UserError where PEFT's linear blend is not defined or not a blend: ranks, modules or shapes that
 * differ,
 * DoRA, rsLoRA, ranks of modules' own
 */
export function blendAdapters(
  adapters: readonly BlendedAdapter[],
): Pick<ReadAdapter, 'settings' | 'tensors'> {
  const [first] = adapters;
  if (!first) throw new UserError('Nothing to blend: choose one adapter at least.');
  for (const each of adapters) checkBlendable(first, each);
  const tensors = new Map<string, Float32Tensor>();
  for (const [name, { shape, data }] of first.adapter.tensors) {
    const sum = new Float64Array(data.length);
    const isA = name.endsWith('.lora_A.weight');
    for (const { adapter, weight } of adapters) {
      const scaled = weight * loraScale(adapter.settings);
      const factor = Math.sqrt(Math.abs(scaled)) * (isA && scaled < 0 ? -1 : 1);
      const { data: part } = adapter.tensors.get(name)!;
      for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + factor * part[i]!;
    }
    tensors.set(name, { shape, data: Float32Array.from(sum) });
  }
  const { settings } = first.adapter;
  return { settings: { ...settings, lora_alpha: settings.r }, tensors };
}

function checkBlendable(first: BlendedAdapter, { name, adapter, weight }: BlendedAdapter): void {
  const { settings, tensors, evened } = adapter;
  if (!Number.isFinite(weight)) throw new UserError(`The weight of ${name} is no number.`);
  if (settings.use_dora)
    throw new UserError(
      `${name} is a DoRA adapter: PEFT's linear blend leaves its magnitudes out. Train with use_dora: false to blend.`,
    );
  if (settings.use_rslora)
    throw new UserError(
      `${name} is rank-stabilised: PEFT's linear blend makes such adapters √r times as strong. Train with use_rslora: false to blend.`,
    );
  if (evened)
    throw new UserError(
      `${name} has modules with a rank or an alpha of their own: such adapters are not blended.`,
    );
  const { r } = first.adapter.settings;
  if (settings.r !== r)
    throw new UserError(
      `${name} has rank ${settings.r}, ${first.name} has rank ${r}: a linear blend needs one rank. Use the class's recipe in every run.`,
    );
  const other = first.adapter.tensors;
  const missing =
    [...other.keys()].find((key) => !tensors.has(key)) ?? [...tensors.keys()].find((key) => !other.has(key));
  if (missing !== undefined)
    throw new UserError(
      `${name} and ${first.name} adapt different modules (${missing}): a blend needs the same. Use the class's recipe in every run.`,
    );
  for (const [key, { shape }] of tensors)
    if (shape.join() !== other.get(key)!.shape.join())
      throw new UserError(`${name} and ${first.name} belong to different models (${key}).`);
}
