/**
 * LoRA's first values, as PEFT draws them: A uniform within ±1/√in and another for every module and seed, B
 * zero.
 */
import { describe, expect, it } from 'vitest';
import { AdapterLayout } from '../../src/model/adapterLayout.ts';
import { initialAdapter } from '../../src/model/initialAdapter.ts';

const RANK = 8;
const layout = new AdapterLayout(
  [
    { modules: ['q', 'k', 'v'], inFeatures: 256, outFeatures: [256, 64, 64] },
    { modules: ['down'], inFeatures: 1024, outFeatures: [256] },
    { modules: ['o'], inFeatures: 256, outFeatures: [256] },
  ].map((group) => ({ ...group, rank: RANK, scale: 2 })),
);

/** Each tensor's values by 'q A', 'q B' and so on. */
function tensorsOf(seed: number): Map<string, Float32Array> {
  const values = initialAdapter(layout, seed);
  return new Map(
    layout.tensors.map(({ name, shape, offset }) => [
      /(\w+)\.lora_(\w)/.exec(name)!.slice(1).join(' '),
      values.slice(offset, offset + shape[0] * shape[1]),
    ]),
  );
}

describe('a fresh adapter', () => {
  const tensors = tensorsOf(42);

  it('has A uniform in ±1/√in: within the bound, up to it, with its variance, centred', () => {
    for (const [name, values] of tensors) {
      if (name.endsWith('B')) continue;
      const bound = 1 / Math.sqrt(name === 'down A' ? 1024 : 256);
      const sizes = values.map(Math.abs);
      const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
      expect(largest, name).toBeLessThanOrEqual(bound);
      // The largest of n uniform sizes is below 0.99 of the bound once in e^(n/100): never for 2,048.
      expect(largest, name).toBeGreaterThan(0.99 * bound);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
      expect(Math.abs(mean), name).toBeLessThan(0.06 * bound);
      expect(Math.abs(variance / (bound ** 2 / 3) - 1), name).toBeLessThan(0.06);
    }
  });

  it('has B zero', () => {
    for (const [name, values] of tensors)
      if (name.endsWith('B'))
        expect(
          [...values].every((value) => value === 0),
          name,
        ).toBe(true);
  });

  it('has another A for every module, also of one shape, and for every seed', () => {
    const [others, again] = [tensorsOf(43), tensorsOf(42)];
    const matrices = ['q A', 'k A', 'v A', 'o A', 'down A'];
    for (const name of matrices) {
      const values = tensors.get(name)!;
      expect(again.get(name)).toEqual(values);
      for (const [what, other] of [
        ...matrices.filter((one) => one !== name).map((one) => [one, tensors.get(one)!] as const),
        [`${name} of another seed`, others.get(name)!] as const,
      ]) {
        expect(correlation(values, other), `${name} and ${what}`).toBeLessThan(0.1);
      }
      expect(new Set(values).size, name).toBeGreaterThan(0.99 * values.length);
    }
  });
});

/** |cosine| of two lists as far as both reach: about 1/√n of independent ones, 1 of equal or scaled ones. */
function correlation(a: Float32Array, b: Float32Array): number {
  const count = Math.min(a.length, b.length);
  let [product, left, right] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    product += a[i] * b[i];
    left += a[i] ** 2;
    right += b[i] ** 2;
  }
  return Math.abs(product) / Math.sqrt(left * right);
}
