/** Adapters from other programs: ranks and alphas of their own a module, and GGUF LoRA files. */
import { describe, expect, it } from 'vitest';
import { loraGguf } from '../../src/export/gguf/loraGguf.ts';
import { mergeDeltas } from '../../src/export/mergeAdapter.ts';
import { readPeftFolder, type ReadAdapter } from '../../src/formats/peft.ts';
import { writeSafetensors } from '../../src/formats/safetensors.ts';
import type { Float32Tensor, TensorInfo } from '../../src/formats/tensors.ts';
import { readAdapter } from '../../src/import/readAdapter.ts';
import { mix32, randomUnit } from '../../src/lib/counterRandom.ts';
import { TINY_FAMILIES } from '../helpers/tinyFamilies.ts';

const CONFIG = { ...TINY_FAMILIES.llama, hidden_size: 24, num_attention_heads: 3, num_key_value_heads: 1 };
const Q = 'model.layers.0.self_attn.q_proj';
const K = 'model.layers.1.self_attn.k_proj';
const DOWN = 'model.layers.0.mlp.down_proj';
const SHAPES: Record<string, [out: number, width: number]> = {
  [Q]: [24, 24],
  [K]: [8, 24],
  [DOWN]: [24, 40],
};

function random(shape: number[], seed: number): Float32Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return {
    shape,
    data: Float32Array.from({ length: count }, (_, i) => randomUnit(mix32(seed * 9973 + i)) - 0.5),
  };
}

function adapterOf(ranks: Record<string, number>): Map<string, Float32Tensor> {
  return new Map(
    Object.entries(ranks).flatMap(([module, r], i) => [
      [`base_model.model.${module}.lora_A.weight`, random([r, SHAPES[module][1]], i + 1)],
      [`base_model.model.${module}.lora_B.weight`, random([SHAPES[module][0], r], i + 11)],
    ]),
  );
}

/** scale · B A of each module. */
function products({ tensors, settings }: Pick<ReadAdapter, 'tensors' | 'settings'>): Map<string, number[]> {
  const weights = new Map(
    Object.entries(SHAPES).map(([module, shape]): [string, TensorInfo] => [
      `${module}.weight`,
      { name: `${module}.weight`, shape, kind: 'f32' },
    ]),
  );
  return new Map(
    [...mergeDeltas(tensors, settings, weights)].map(([name, { a, b, scale }]) => {
      const [r, width] = a.shape;
      const values = Array.from({ length: b.shape[0] * width }, (_, at) => {
        const [row, column] = [Math.floor(at / width), at % width];
        let sum = 0;
        for (let k = 0; k < r; k++) sum += b.data[row * r + k] * a.data[k * width + column];
        return scale * sum;
      });
      return [name.replace(/\.weight$/, ''), values];
    }),
  );
}

function folder(tensors: ReadonlyMap<string, Float32Tensor>, config: object): Map<string, Blob> {
  const weights = writeSafetensors(
    new Map([...tensors].map(([name, { shape, data }]) => [name, { dtype: 'F32' as const, shape, data }])),
  );
  return new Map([
    [
      'adapter_config.json',
      new Blob([JSON.stringify({ peft_type: 'LORA', r: 2, lora_alpha: 4, ...config })]),
    ],
    ['adapter_model.safetensors', new Blob([weights as Uint8Array<ArrayBuffer>])],
  ]);
}

describe('an adapter with ranks and alphas of its own a module', () => {
  const ranks = { [Q]: 3, [K]: 2, [DOWN]: 5 };
  const patterns = {
    rank_pattern: { q_proj: 3, 'layers\\.\\d\\.mlp.*down_proj': 5, '^proj': 7 },
    alpha_pattern: { 'model.layers.0.self_attn.q_proj': 9, down_proj: 1 },
  };

  it.each([false, true])(
    'is brought to one rank and computes the same, use_rslora %s',
    async (use_rslora) => {
      const tensors = adapterOf(ranks);
      const read = await readPeftFolder(folder(tensors, { ...patterns, use_rslora }));
      expect(read).toMatchObject({ evened: true, settings: { r: 5, lora_alpha: 4 } });
      const actual = products(read);
      for (const [module, r, lora_alpha] of [
        [Q, 3, 9],
        [K, 2, 4],
        [DOWN, 5, 1],
      ] as const) {
        const own = new Map([...tensors].filter(([name]) => name.includes(`.${module}.`)));
        const settings = { ...read.settings, r, lora_alpha };
        const expected = products({ tensors: own, settings }).get(module)!;
        actual.get(module)!.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 5));
      }
    },
  );

  it('is refused where its tensors have other ranks, or a key is more than a name', async () => {
    const tensors = adapterOf(ranks);
    await expect(readPeftFolder(folder(tensors, { rank_pattern: { q_proj: 3 } }))).rejects.toThrow(
      /down_proj.* which does not fit r = 2/,
    );
    await expect(readPeftFolder(folder(tensors, { rank_pattern: { '(a+)+': 3 } }))).rejects.toThrow(
      /rank_pattern.* up to three \.\* in them, not \(a\+\)\+/,
    );
  });
});

describe('a GGUF LoRA adapter', () => {
  const settings = { r: 3, lora_alpha: 8, use_rslora: true, use_dora: false };
  const tensors = adapterOf({ [Q]: 3, [K]: 3, [DOWN]: 3 });
  const file = (bytes: Uint8Array) => [
    { path: 'a/tuned.gguf', blob: new Blob([bytes as Uint8Array<ArrayBuffer>]) },
  ];
  const written = () =>
    loraGguf(tensors, settings, CONFIG as unknown as Parameters<typeof loraGguf>[2], 'tuned');

  it('is read under PEFT names, rows of q and k put back, the scale as it was', async () => {
    const read = await readAdapter(file(written()), CONFIG);
    expect(read.evened).toBe(false);
    expect(read.modules.toSorted()).toEqual([DOWN, Q, K].toSorted());
    expect(new Map([...read.tensors].sort())).toEqual(new Map([...tensors].sort()));
    const [actual, expected] = [
      products(read),
      products({ tensors, settings: { ...read.settings, ...settings } }),
    ];
    for (const [module, values] of expected)
      actual.get(module)!.forEach((value, i) => expect(value).toBeCloseTo(values[i], 5));
  });

  it('is known from a model', async () => {
    const model = written().slice();
    const text = new TextEncoder().encode('adapter');
    const at = model.findIndex((_, i) => text.every((byte, j) => model[i + j] === byte));
    model.set(new TextEncoder().encode('modelll'), at);
    await expect(readAdapter(file(model), CONFIG)).rejects.toThrow(
      /tuned.gguf: this GGUF is no LoRA adapter/,
    );
  });
});
