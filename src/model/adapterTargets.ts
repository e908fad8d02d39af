/** Which modules get an adapter, the adapter's scale, and its initial values, as PEFT defines them. */
import { mix32, randomKey, randomUnit } from '../lib/counterRandom.ts';
import { UserError } from '../lib/errors.ts';
import type { AdapterLayout } from './adapterLayout.ts';

/** LoRA settings that a graph depends on, under PEFT's names. */
export interface LoraShape {
  r: number;
  lora_alpha: number;
  lora_dropout: number;
  target_modules: 'all-linear' | readonly string[];
  use_rslora: boolean;
  use_dora: boolean;
}

/** α/r, or α/√r with rank stabilisation (arXiv:2312.03732). */
export function loraScale({
  r,
  lora_alpha,
  use_rslora,
}: Pick<LoraShape, 'r' | 'lora_alpha' | 'use_rslora'>): number {
  return use_rslora ? lora_alpha / Math.sqrt(r) : lora_alpha / r;
}

/** Rank and scale of a module's adapter. */
export function adapterOf(_module: string, lora: LoraShape): { rank: number; scale: number } {
  return { rank: lora.r, scale: loraScale(lora) };
}

/**
 * PEFT's rule for target_modules: 'all-linear', or a module whose name is one of the list or ends in '.' and
 * one of it.
 */
export function isTarget(module: string, { target_modules }: Pick<LoraShape, 'target_modules'>): boolean {
  return (
    target_modules === 'all-linear' ||
    target_modules.some((target) => module === target || module.endsWith(`.${target}`))
  );
}

/** @throws UserError naming an entry of target_modules that matches no linear layer of the model */
export function checkTargets(modules: readonly string[], shape: LoraShape): void {
  if (shape.target_modules === 'all-linear') return;
  if (shape.target_modules.length === 0)
    throw new UserError('lora.target_modules is empty: write "all-linear" or name at least one module.');
  for (const target of shape.target_modules) {
    if (!modules.some((module) => isTarget(module, { ...shape, target_modules: [target] }))) {
      const known = [...new Set(modules.map((module) => module.split('.').at(-1)))].join(', ');
      throw new UserError(
        `lora.target_modules names "${target}", which this model does not have. Its linear layers are: ${known}.`,
      );
    }
  }
}

/**
 * Initial values: A is kaiming-uniform with a = √5, that is uniform in ±1/√in, drawn by a counter-based
 * generator keyed by (seed, tensor, element); B is zero. DoRA's magnitudes are zero too: the engine, which
 * knows the weights, sets them to the norms of their rows.
 */
export function initialAdapter(layout: AdapterLayout, seed: number): Float32Array {
  const values = new Float32Array(layout.elements);
  layout.tensors.forEach(({ shape, offset }, index) => {
    if (offset >= layout.bStart) return;
    const bound = 1 / Math.sqrt(shape[1]);
    const key = randomKey(randomKey(mix32(seed), 0x41646170), index);
    for (let i = 0; i < shape[0] * shape[1]; i++)
      values[offset + i] = (2 * randomUnit(randomKey(key, i)) - 1) * bound;
  });
  return values;
}
