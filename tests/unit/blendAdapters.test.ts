/** Blends by PEFT's add_weighted_adapter, linear (tests/interop/make_blends.py), and what is refused. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { blendAdapters, type BlendedAdapter } from '../../src/formats/adapters/blendAdapters.ts';
import type { Float32Tensor } from '../../src/formats/tensors.ts';

type Tensors = Record<string, { shape: number[]; data: number[] }>;
interface Fixture {
  adapters: { name: string; lora_alpha: number; tensors: Tensors }[];
  blends: { weights: number[]; r: number; lora_alpha: number; tensors: Tensors }[];
}
const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/blends.json', import.meta.url), 'utf8'),
) as Fixture;

const read = (tensors: Tensors) =>
  new Map<string, Float32Tensor>(
    Object.entries(tensors).map(([name, { shape, data }]) => [
      name,
      { shape, data: Float32Array.from(data) },
    ]),
  );
const plain = { r: 3, lora_dropout: 0, use_rslora: false, use_dora: false, base_model_name_or_path: null };
const adapters = (weights: readonly number[]): BlendedAdapter[] =>
  fixture.adapters.map(({ name, lora_alpha, tensors }, i) => ({
    name,
    weight: weights[i],
    adapter: { settings: { ...plain, lora_alpha }, tensors: read(tensors), evened: false },
  }));

describe('a blend of adapters', () => {
  it.each(fixture.blends)("is PEFT's for weights $weights", ({ weights, r, lora_alpha, tensors }) => {
    const blend = blendAdapters(adapters(weights));
    expect(blend.settings).toMatchObject({ r, lora_alpha });
    expect([...blend.tensors.keys()].sort()).toEqual(Object.keys(tensors).sort());
    let largest = 0;
    for (const [name, { shape, data }] of Object.entries(tensors)) {
      const ours = blend.tensors.get(name)!;
      expect(ours.shape).toEqual(shape);
      data.forEach((value, i) => (largest = Math.max(largest, Math.abs(value - ours.data[i]))));
    }
    expect(largest).toBeLessThan(1e-6);
  });

  it('refuses what PEFT does not blend, or blends into something else', () => {
    const changed = (change: (second: BlendedAdapter) => void) => () => {
      const some = adapters([1, 1, 1]);
      change(some[1]);
      return blendAdapters(some);
    };
    expect(changed(({ adapter }) => (adapter.settings.r = 4))).toThrow(/ben has rank 4, ada has rank 3/);
    expect(changed(({ adapter }) => (adapter.settings.use_dora = true))).toThrow(/ben is a DoRA adapter/);
    expect(changed(({ adapter }) => (adapter.settings.use_rslora = true))).toThrow(/ben is rank-stabilised/);
    expect(changed(({ adapter }) => (adapter.evened = true))).toThrow(/of their own/);
    expect(changed((second) => (second.weight = NaN))).toThrow(/weight of ben/);
    expect(changed(({ adapter }) => adapter.tensors.delete([...adapter.tensors.keys()][0]))).toThrow(
      /adapt different modules/,
    );
    expect(
      changed(({ adapter }) => {
        const [key, tensor] = [...adapter.tensors][0];
        adapter.tensors.set(key, { ...tensor, shape: [...tensor.shape].reverse() });
      }),
    ).toThrow(/different models/);
    expect(() => blendAdapters([])).toThrow(/Nothing to blend/);
  });
});
