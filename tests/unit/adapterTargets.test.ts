/**
 * Which modules get an adapter, with what rank and scale, against PEFT
 * (tests/interop/make_adapter_targets.py).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { randomModel, SHAPES } from '../../src/verify/randomModel.ts';
import { writePeftFolder } from '../../src/formats/peft.ts';
import { adapterOf, checkTargets, isTarget, type LoraShape } from '../../src/model/adapterTargets.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { initialAdapter } from '../../src/model/initialAdapter.ts';
import { trainGraph } from '../../src/model/planGraphs.ts';
import { groupedByLength } from '../../src/training/batches.ts';

const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/adapterTargets.json', import.meta.url), 'utf8'),
) as {
  modules: string[];
  cases: { lora: Partial<LoraShape>; adapted: Record<string, { rank: number; scale: number }> }[];
  grouped: { lengths: number[]; batch: number; order: number[]; indices: number[] }[];
};
const LORA: LoraShape = {
  r: 8,
  lora_alpha: 16,
  lora_dropout: 0,
  target_modules: 'all-linear',
  use_rslora: false,
  use_dora: false,
};

describe('adapted modules', () => {
  it.each(fixture.cases)('are those of PEFT: $lora', ({ lora, adapted }) => {
    const shape = { ...LORA, ...lora };
    checkTargets(fixture.modules, shape);
    const mine = fixture.modules.filter((module) => isTarget(module, shape));
    expect(mine.sort()).toEqual(Object.keys(adapted).sort());
    for (const module of mine) {
      const { rank, scale } = adapterOf(module, shape);
      expect(rank, module).toBe(adapted[module].rank);
      expect(scale, module).toBeCloseTo(adapted[module].scale, 12);
    }
  });

  it.each([
    [{ target_modules: '(q_proj' }, /"\(q_proj".+no regular expression/],
    [{ target_modules: 'q_proj' }, /leave no module to train/],
    [{ exclude_modules: '.*' }, /leave no module to train/],
    [{ layers_to_transform: [1] }, /layers_to_transform needs target_modules as a list/],
    [{ target_modules: ['q_proj'], layers_to_transform: 99 }, /leave no module/],
    [{ target_modules: ['q_proj'], rank_pattern: { k_proj: 2 } }, /rank_pattern names "k_proj"/],
    [{ alpha_pattern: { 'q_pro[': 2 } }, /no regular expression/],
  ] as [Partial<LoraShape>, RegExp][])('%j is refused', (change, message) => {
    expect(() => checkTargets(fixture.modules, { ...LORA, ...change })).toThrow(message);
  });
});

describe('an adapter of several ranks', () => {
  const weights = randomModel(SHAPES['16 layers of width 32']);
  const lora = {
    ...LORA,
    target_modules: ['q_proj', 'k_proj', 'v_proj'],
    layers_to_transform: [0, 2],
    rank_pattern: { k_proj: 4 },
    alpha_pattern: { v_proj: 4 },
  };
  const options = { tokens: 32, positions: 32, lora, weights: weights.tensors };
  const { layout } = trainGraph(modelOf(weights.config), options, false);

  it('groups projections by rank and scale, each module with its own', () => {
    expect(layout.groups.map(({ modules, rank, scale }) => [modules.length, rank, scale])).toEqual([
      [1, 8, 2],
      [1, 4, 4],
      [1, 8, 0.5],
      [1, 8, 2],
      [1, 4, 4],
      [1, 8, 0.5],
    ]);
    const shapes = layout.tensors.filter(({ name }) => name.includes('.k_proj')).map(({ shape }) => shape);
    expect(shapes.every((shape) => shape.includes(4))).toBe(true);
  });

  it('is saved with its patterns, and with whole names where layers were chosen', () => {
    const tensors = new Map(
      layout.tensors.map(({ name, shape }) => [
        name,
        { shape, data: new Float32Array(shape[0] * (shape[1] ?? 1)) },
      ]),
    );
    const config = JSON.parse(
      new TextDecoder().decode(
        writePeftFolder(tensors, { ...lora, base_model_name_or_path: null }).get('adapter_config.json'),
      ),
    ) as Record<string, unknown>;
    expect(config).toMatchObject({ rank_pattern: { k_proj: 4 }, alpha_pattern: { v_proj: 4 } });
    expect(config.target_modules).toEqual(
      [0, 2].flatMap((i) => ['k', 'q', 'v'].map((part) => `model.layers.${i}.self_attn.${part}_proj`)),
    );
  });
});

describe('first values', () => {
  const weights = randomModel(SHAPES['16 layers of width 32']);
  const options = { tokens: 32, positions: 32, lora: LORA, weights: weights.tensors };
  const { layout } = trainGraph(modelOf(weights.config), options, false);
  const spread = (values: Float32Array, from: number, to: number) => {
    const some = values.subarray(from, to).filter((value) => value !== 0);
    return { count: some.length, deviation: Math.sqrt(some.reduce((a, b) => a + b * b, 0) / some.length) };
  };

  it('gaussian: A normal with a deviation of 1/r, B zero', () => {
    const values = initialAdapter(layout, 3, 'gaussian');
    const a = spread(values, 0, layout.bStart);
    expect(a.count).toBeGreaterThan(10_000);
    expect(Math.abs(a.deviation * LORA.r - 1)).toBeLessThan(0.02);
    const beyond = values.subarray(0, layout.bStart).filter((value) => Math.abs(value) > 2 / LORA.r).length;
    expect(Math.abs(beyond / a.count - 0.0455)).toBeLessThan(0.01);
    expect(spread(values, layout.bStart, layout.elements).count).toBe(0);
  });

  it('false: B uniform in ±1/√r too', () => {
    const b = spread(initialAdapter(layout, 3, false), layout.bStart, layout.elements);
    expect(b.count).toBeGreaterThan(10_000);
    expect(Math.abs(b.deviation * Math.sqrt(3 * LORA.r) - 1)).toBeLessThan(0.02);
  });
});

it.each(fixture.grouped)('orders by length as transformers does: batches of $batch', (theirs) => {
  const made = groupedByLength(Uint32Array.from(theirs.order), (i) => theirs.lengths[i], theirs.batch);
  expect([...made].sort((a, b) => a - b)).toEqual([...theirs.order].sort((a, b) => a - b));
  expect([...made].map((i) => theirs.lengths[i])).toEqual(theirs.indices.map((i) => theirs.lengths[i]));
});
