/** How many dispatches LoRA takes, and how its matrices are laid out. */
import { describe, expect, it } from 'vitest';
import { randomModel, SHAPES } from '../../src/verify/randomModel.ts';
import type { KernelSettings } from '../../src/gpu/dispatch.ts';
import { AdapterLayout } from '../../src/model/adapterLayout.ts';
import { trainGraph } from '../../src/model/planGraphs.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { add } from '../../src/ops/elementwise/add.ts';
import { Graph } from '../../src/graph/graph.ts';
import { linearGroup } from '../../src/ops/matmul/linearGroup.ts';
import { lora } from '../../src/ops/lora/lora.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { kernelSettings } from '../helpers/kernelSettings.ts';

const SETTINGS = kernelSettings();
const LAYERS = 16;
/** Projections that share an input: q, k and v; o; gate and up; down. */
const GROUPS = 4 * LAYERS;

function counts(checkpoint: boolean, dropout = 0): Record<string, number> {
  const weights = randomModel(SHAPES['16 layers of width 32']);
  const lora = {
    r: 4,
    lora_alpha: 8,
    lora_dropout: dropout,
    target_modules: 'all-linear' as const,
    use_rslora: false,
    use_dora: false,
  };
  const { graph } = trainGraph(
    modelOf(weights.config),
    { tokens: 64, positions: 64, lora, weights: weights.tensors },
    checkpoint,
  );
  const { dispatches } = makePlan('train', graph, SETTINGS, {
    maxBindingBytes: 2 ** 27,
    maxBufferBytes: 2 ** 28,
  });
  const byOp: Record<string, number> = {};
  for (const { op } of dispatches) {
    // With what follows an adapter, or comes before its gradient.
    const name = op === 'loraThen' ? 'lora' : op === 'loraAhead' ? 'loraDx' : op;
    byOp[name] = (byOp[name] ?? 0) + 1;
  }
  return byOp;
}

describe('LoRA in a plan', () => {
  it('takes three dispatches for each group of projections', () => {
    expect(counts(false)).toMatchObject({ lora: GROUPS, loraDx: GROUPS, loraParameters: GROUPS });
  });

  it('computes only A x where a recomputed layer needs no more, and not the product that it would be added to', () => {
    const [kept, recomputed] = [counts(false), counts(true)];
    expect(recomputed).toMatchObject({
      lora: GROUPS + 3 * (LAYERS - 1),
      loraDown: LAYERS - 1,
      loraDx: GROUPS,
      loraParameters: GROUPS,
    });
    // Of the single products, o and down, only o is recomputed.
    expect(recomputed.linear - kept.linear).toBe(LAYERS - 1);
  });

  it('takes every module by itself where each has dropout of its own', () => {
    expect(counts(false, 0.1)).toMatchObject({
      lora: 7 * LAYERS,
      loraDx: 7 * LAYERS,
      loraParameters: 7 * LAYERS,
    });
  });
});

/**
 * The kernels of projections of one input and their adapters. @param otherInput whether the adapter reads
 * another input
 */
function shadersOf(
  tokens: number,
  outs: number[],
  rank: number,
  settings: Partial<KernelSettings> = {},
  otherInput = false,
): string[] {
  const graph = new Graph(false);
  const x = graph.input('x', [tokens, 128], 'f32');
  const weights = outs.map((out, g) => graph.weight(`w${g}`, [out, 128], 'nf4'));
  const a = graph.parameter('A', [outs.length * rank, 128]);
  const b = graph.parameter('B', [outs.reduce((sum, out) => sum + out, 0), rank]);
  const ys = linearGroup(graph, x, weights);
  const seen = lora(graph, otherInput ? graph.input('other', [tokens, 128], 'f32') : x, {
    a,
    b,
    ys,
    scale: 1,
  });
  // An op's outputs may take over an activation's storage, a graph's outputs may not.
  seen.forEach((y, g) => graph.output(`output.${g}`, add(graph, y, graph.input(`zero${g}`, y.shape, 'f32'))));
  const { dispatches } = makePlan(
    'test',
    graph,
    { ...SETTINGS, ...settings },
    { maxBindingBytes: 2 ** 27, maxBufferBytes: 2 ** 28 },
  );
  return dispatches.map(({ shader }) => shader).filter((shader) => shader !== 'add');
}

describe('LoRA of a few rows', () => {
  const [fused, separate] = [
    ['lora_down_skinny', 'matmul_skinny'],
    ['matmul_skinny', 'lora_down_skinny', 'lora_up_skinny'],
  ];

  it('is fused into the product', () => {
    for (const outs of [[64], [64, 32], [64, 32, 32]])
      for (const tokens of [1, 8, 9, 31]) expect(shadersOf(tokens, outs, 16, { fewRows: 31 })).toEqual(fused);
  });

  it('follows the product where inputs differ, the rank is too high, or the GPU binds too few buffers', () => {
    expect(shadersOf(1, [64], 16, {}, true)).toEqual(separate);
    expect(shadersOf(1, [64], 160)).toEqual(separate);
    expect(shadersOf(1, [64, 32, 32], 16, { maxStorageBuffers: 8 })).toEqual(separate);
    expect(shadersOf(1, [64], 16, { maxStorageBuffers: 8 })).toEqual(fused);
  });

  it('is not fused where other kernels compute the product', () => {
    expect(shadersOf(9, [64], 16)).not.toContain('lora_down_skinny');
    expect(shadersOf(1, [64], 16, { target: 'cpu' }).every((shader) => shader.startsWith('matmul_cpu'))).toBe(
      true,
    );
  });
});

describe('adapter layout', () => {
  it('places the matrices of a group one below the other, A before B, and no group in two buffers', () => {
    const groups = [
      { modules: ['q', 'k'], inFeatures: 10, outFeatures: [12, 5] },
      { modules: ['o'], inFeatures: 12, outFeatures: [10] },
    ].map((group) => ({ ...group, rank: 3, scale: 2 }));
    const { tensors, parameters, bStart, pieces } = new AdapterLayout(groups, 128);
    expect([...parameters.values()]).toEqual([
      { name: 'A: q k', shape: [6, 10], offset: 0 },
      { name: 'A: o', shape: [3, 12], offset: 64 },
      { name: 'B: q k', shape: [17, 3], offset: 128 },
      { name: 'B: o', shape: [10, 3], offset: 192 },
    ]);
    expect(
      tensors.map(({ name, offset }) => [/(\w+)\.lora_(\w)/.exec(name)!.slice(1).join(' '), offset]),
    ).toEqual([
      ['q A', 0],
      ['k A', 30],
      ['o A', 64],
      ['q B', 128],
      ['k B', 164],
      ['o B', 192],
    ]);
    expect(bStart).toBe(128);
    expect(pieces).toEqual([
      { first: 0, elements: 128 },
      { first: 128, elements: 128 },
    ]);
  });

  it('places the magnitudes of DoRA after B, each at a binding of its own, under the name that PEFT saves', () => {
    const groups = [{ modules: ['q', 'k'], inFeatures: 10, outFeatures: [12, 5], rank: 3, scale: 2 }];
    const { tensors, parameters, elements } = new AdapterLayout(groups, undefined, true);
    expect(tensors.slice(4)).toEqual([
      { name: 'base_model.model.q.lora_magnitude_vector', shape: [12], offset: 128 },
      { name: 'base_model.model.k.lora_magnitude_vector', shape: [5], offset: 192 },
    ]);
    expect(parameters.get('magnitude: k')).toEqual({ name: 'magnitude: k', shape: [5], offset: 192 });
    expect(elements).toBe(256);
  });
});
