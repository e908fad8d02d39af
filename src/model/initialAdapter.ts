/** An adapter's first values, as PEFT draws them. */
import { mix32, randomKey, randomUnit } from '../lib/counterRandom.ts';
import type { AdapterLayout } from './adapterLayout.ts';

/**
 * true: A is kaiming-uniform with a = √5, that is uniform in ±1/√in, and B zero · 'gaussian': A is normal
 * with a deviation of 1/r and B zero · false: A as for true, and B drawn as A is, in ±1/√r, so that the
 * adapter changes the model from the start.
 */
export type InitLoraWeights = boolean | 'gaussian';

/**
 * Drawn by a counter-based generator keyed by (seed, tensor, element). DoRA's magnitudes are zero: the
 * engine, which knows the weights, sets them to the norms of their rows.
 */
export function initialAdapter(
  layout: AdapterLayout,
  seed: number,
  kind: InitLoraWeights = true,
): Float32Array {
  const values = new Float32Array(layout.elements);
  layout.tensors.forEach(({ name, shape, offset }, index) => {
    const isA = offset < layout.bStart;
    if (!isA && (kind !== false || name.endsWith('.lora_magnitude_vector'))) return;
    const key = randomKey(randomKey(mix32(seed), 0x41646170), index);
    const bound = 1 / Math.sqrt(shape[1]);
    for (let i = 0; i < shape[0] * shape[1]; i++)
      values[offset + i] =
        isA && kind === 'gaussian'
          ? normal(randomKey(key, i)) / shape[0]
          : (2 * randomUnit(randomKey(key, i)) - 1) * bound;
  });
  return values;
}

/** Standard normal, by Box and Muller. */
function normal(key: number): number {
  const [radius, angle] = [randomUnit(randomKey(key, 0)), randomUnit(randomKey(key, 1))];
  return Math.sqrt(-2 * Math.log(1 - radius)) * Math.cos(2 * Math.PI * angle);
}
