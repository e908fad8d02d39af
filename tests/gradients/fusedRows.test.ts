/**
 * For a few rows, as in generation: a norm, two projections with adapters and a gated activation, which are
 * two kernels on a GPU, against the same by the kernels of CPU adapters, which keep them apart.
 */
import { describe, expect, it } from 'vitest';
import type { TensorKind } from '../../src/formats/tensors.ts';
import type { KernelSettings } from '../../src/gpu/dispatch.ts';
import { Graph } from '../../src/graph/graph.ts';
import { elements, type Value } from '../../src/graph/value.ts';
import { add } from '../../src/ops/elementwise/add.ts';
import { gated } from '../../src/ops/elementwise/gated.ts';
import { lora } from '../../src/ops/lora/lora.ts';
import { linearGroup } from '../../src/ops/matmul/linearGroup.ts';
import { rmsNorm } from '../../src/ops/norm/rmsNorm.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { uniform } from '../../src/verify/caseBuilder.ts';
import { stored } from '../../src/verify/caseWeights.ts';
import { OP_BOUND } from '../../src/verify/checkOp.ts';
import { GraphRunner, type Data } from '../../src/verify/graphRunner.ts';
import { CPU_KERNELS, GPU_KERNELS } from '../helpers/agreement.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();

interface Shape {
  rows: number;
  width: number;
  outs: number[];
  kind: TensorKind;
  /** Whether the norm is of a sum with a residual. */
  adds: boolean;
  isGated: boolean;
}

/** Rows at and past a vector of four; widths past a stretch of the product, no multiple of a workgroup. */
const SHAPES: [name: string, shape: Shape, shaders: string[]][] = [
  [
    'one row of NF4, gated',
    { rows: 1, width: 1120, outs: [72, 72], kind: 'nf4', adds: true, isGated: true },
    ['lora_down_normed', 'matmul_skinny'],
  ],
  [
    'eight rows of bfloat16, three projections',
    { rows: 8, width: 160, outs: [24, 8, 16], kind: 'bf16', adds: true, isGated: false },
    ['lora_down_normed', 'matmul_skinny'],
  ],
  [
    'three rows without a residual, gated',
    { rows: 3, width: 64, outs: [24, 24], kind: 'bf16', adds: false, isGated: true },
    ['lora_down_normed', 'matmul_skinny'],
  ],
];

async function computed(settings: Partial<KernelSettings>, shape: Shape) {
  const { rows, width, outs, kind, adds, isGated } = shape;
  const context = await gpuWith(settings);
  const graph = new Graph(false);
  const feeds: Record<string, Data> = {};
  const input = (name: string, size: readonly number[]) => {
    feeds[name] = uniform(elements({ shape: size }), Object.keys(feeds).length + 11);
    return graph.input(name, [...size], 'f32');
  };
  const parameter = (name: string, size: number[]) => {
    feeds[name] = uniform(elements({ shape: size }), Object.keys(feeds).length + 31);
    return graph.parameter(name, size);
  };
  const weights: Record<string, Record<string, Uint8Array>> = {};
  const weight = (name: string, size: number[], of: TensorKind) => {
    weights[name] = stored(uniform(elements({ shape: size }), Object.keys(weights).length + 51), of).parts;
    return graph.weight(name, size, of);
  };
  const first = input('x', [rows, width]);
  const x = adds ? add(graph, first, input('residual', [rows, width])) : first;
  const h = rmsNorm(graph, x, weight('norm', [width], 'bf16'), { eps: 1e-5, unitOffset: 1 });
  const products = linearGroup(
    graph,
    h,
    outs.map((out, g) => weight(`w${g}`, [out, width], kind)),
  );
  const ys = lora(graph, h, {
    a: parameter('A', [outs.length * 4, width]),
    b: parameter('B', [outs.reduce((a, b) => a + b), 4]),
    ys: products,
    scale: 0.5,
    adapterScale: input('adapterScale', [rows]),
  });
  const seen: Value[] = isGated ? [gated(graph, ys[0], ys[1], 'silu')] : ys;
  // The residual stream and the norm are read once more, as a model reads the stream.
  const outputs = [...seen, h, ...(adds ? [x] : [])];
  outputs.forEach((value, i) =>
    graph.output(`output.${i}`, add(graph, value, input(`zero${i}`, value.shape))),
  );
  const { dispatches } = makePlan('test', graph, context.settings, context.limits);
  const runner = await GraphRunner.create(context, graph, weights);
  await runner.run(feeds);
  const results: Float32Array[] = [];
  for (const i of outputs.keys()) results.push(await runner.read('output', `output.${i}`));
  runner.dispose();
  context.dispose();
  return { results, shaders: dispatches.map(({ shader }) => shader).filter((shader) => shader !== 'add') };
}

describe.skipIf(!gpu)('a norm, projections with adapters and a gated activation', () => {
  it.each(SHAPES)('are two kernels for %s', async (_, shape, shaders) => {
    const fused = await computed(GPU_KERNELS, shape);
    const { results } = await computed(CPU_KERNELS, shape);
    expect(fused.shaders).toEqual(shaders);
    expect(fused.results.length).toBe(results.length);
    fused.results.forEach((values, i) => {
      const largest = Math.max(...results[i].map(Math.abs));
      expect(largest).toBeGreaterThan(0.05);
      expect(Math.max(...values.map((value, e) => Math.abs(value - results[i][e]))) / largest).toBeLessThan(
        OP_BOUND,
      );
    });
  });
});
