/**
 * For a few rows, as in generation: a norm, projections with adapters, a gated activation and its projection,
 * which are three kernels on a GPU, and attention with its projection, which are two, against the same by the
 * kernels of CPU adapters, which keep them apart.
 */
import { describe, expect, it } from 'vitest';
import type { TensorKind } from '../../src/formats/tensors.ts';
import type { KernelSettings } from '../../src/gpu/dispatch.ts';
import { Graph } from '../../src/graph/graph.ts';
import { elements, type Value } from '../../src/graph/value.ts';
import { add } from '../../src/ops/elementwise/add.ts';
import { attentionDecode, cacheWrite } from '../../src/ops/attention/decodeAttention.ts';
import { gated } from '../../src/ops/elementwise/gated.ts';
import { lora } from '../../src/ops/lora/lora.ts';
import { linear } from '../../src/ops/matmul/linear.ts';
import { linearGroup } from '../../src/ops/matmul/linearGroup.ts';
import { rmsNorm } from '../../src/ops/norm/rmsNorm.ts';
import { rope } from '../../src/ops/rope/rope.ts';
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
  /** Features of the projection of the gated activation, where there is one. */
  down?: number;
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
  [
    'one row of NF4, gated and projected',
    { rows: 1, width: 64, outs: [96, 96], kind: 'nf4', adds: true, isGated: true, down: 40 },
    ['lora_down_normed', 'matmul_skinny', 'matmul_skinny'],
  ],
  [
    'one row with more parts than narrow workgroups may make',
    { rows: 1, width: 32, outs: [2400, 2400], kind: 'bf16', adds: true, isGated: true, down: 24 },
    ['lora_down_normed', 'matmul_skinny', 'matmul_skinny'],
  ],
  [
    'three rows of bfloat16, gated and projected',
    { rows: 3, width: 32, outs: [96, 96], kind: 'bf16', adds: true, isGated: true, down: 40 },
    ['lora_down_normed', 'matmul_skinny', 'matmul_skinny'],
  ],
  [
    'nine rows of NF4, gated and projected, of which a workgroup has eight',
    { rows: 9, width: 64, outs: [96, 96], kind: 'nf4', adds: true, isGated: true, down: 40 },
    ['lora_down_normed', 'matmul_skinny', 'matmul_skinny'],
  ],
  [
    'twenty-two rows of bfloat16, two projections',
    { rows: 22, width: 160, outs: [24, 16], kind: 'bf16', adds: false, isGated: false },
    ['lora_down_normed', 'matmul_skinny'],
  ],
];

async function computed(settings: Partial<KernelSettings>, shape: Shape) {
  const { rows, width, outs, kind, adds, isGated, down } = shape;
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
  const adapterScale = input('adapterScale', [rows]);
  const ys = lora(graph, h, {
    a: parameter('A', [outs.length * 4, width]),
    b: parameter('B', [outs.reduce((a, b) => a + b), 4]),
    ys: products,
    scale: 0.5,
    adapterScale,
  });
  let seen: Value[] = isGated ? [gated(graph, ys[0], ys[1], 'silu')] : ys;
  if (down)
    seen = lora(graph, seen[0], {
      a: parameter('downA', [8, outs[0]]),
      b: parameter('downB', [down, 8]),
      ys: [linear(graph, seen[0], weight('down', [down, outs[0]], kind))],
      scale: 2,
      adapterScale,
    });
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

/** Attention of a new token over the cache, and the projection of its output with an adapter. */
async function attended(settings: Partial<KernelSettings>, { slots, heads, headDim }: AttentionShape) {
  const context = await gpuWith(settings);
  const graph = new Graph(false);
  const feeds: Record<string, Data> = {};
  const fed = (name: string, size: readonly number[]) => {
    feeds[name] = uniform(elements({ shape: size }), Object.keys(feeds).length + 3);
    return size;
  };
  const input = (name: string, size: readonly number[]) => graph.input(name, [...fed(name, size)], 'f32');
  const [width, keyWidth, out, length] = [heads * headDim, (heads / 2) * headDim, 40, 6];
  const [keys, values] = ['keys', 'values'].map((name) =>
    graph.state(name, fed(name, [slots, length, keyWidth])),
  );
  const [positions, rows] = ['positions', 'slots'].map((name) => graph.input(name, [slots], 'u32'));
  feeds.positions = Uint32Array.from({ length: slots }, (_, slot) => (slot * 3 + 5) % length);
  feeds.slots = Uint32Array.from({ length: slots }, (_, slot) => slot);
  const angles = graph.constant('angles', [length, headDim], () => uniform(length * headDim, 1));
  const [q, k] = rope(
    graph,
    [input('q', [slots, width]), input('k', [slots, keyWidth])],
    angles,
    positions,
    headDim,
  );
  cacheWrite(graph, { keys, values }, k, input('v', [slots, keyWidth]), rows, positions);
  const o = attentionDecode(graph, q, keys, values, positions, {
    heads,
    keyHeads: heads / 2,
    headDim,
    scale: 0.5,
  });
  const data = stored(uniform(out * width, 51), 'bf16').parts;
  const [y] = lora(graph, o, {
    a: graph.parameter('A', fed('A', [8, width])),
    b: graph.parameter('B', fed('B', [out, 8])),
    ys: [linear(graph, o, graph.weight('w', [out, width], 'bf16'))],
    scale: 2,
    adapterScale: input('adapterScale', [slots]),
  });
  graph.output('y', add(graph, y, input('zero', y.shape)));
  const { dispatches } = makePlan('test', graph, context.settings, context.limits);
  const runner = await GraphRunner.create(context, graph, { w: data });
  await runner.run(feeds);
  const results = [
    await runner.read('output', 'y'),
    await runner.read('state', 'keys'),
    await runner.read('state', 'values'),
  ];
  runner.dispose();
  context.dispose();
  return { results, shaders: dispatches.map(({ shader }) => shader).filter((shader) => shader !== 'add') };
}

interface AttentionShape {
  slots: number;
  heads: number;
  headDim: number;
}

function expectClose(found: readonly Float32Array[], expected: readonly Float32Array[]) {
  expect(found.length).toBe(expected.length);
  found.forEach((values, i) => {
    const largest = Math.max(...expected[i].map(Math.abs));
    expect(largest).toBeGreaterThan(0.05);
    expect(Math.max(...values.map((value, e) => Math.abs(value - expected[i][e]))) / largest).toBeLessThan(
      OP_BOUND,
    );
  });
}

describe.skipIf(!gpu)('a norm, projections with adapters and a gated activation', () => {
  it.each(SHAPES)('are a kernel and one for each projection for %s', async (_, shape, shaders) => {
    // Ten storage buffers are what browsers offer.
    const fused = await computed({ ...GPU_KERNELS, maxStorageBuffers: 10, fewRows: 64 }, shape);
    const { results } = await computed(CPU_KERNELS, shape);
    expect(fused.shaders).toEqual(shaders);
    expectClose(fused.results, results);
  });
});

describe.skipIf(!gpu)('attention and its projection with an adapter', () => {
  it.each<AttentionShape>([
    { slots: 1, heads: 2, headDim: 160 },
    { slots: 3, heads: 16, headDim: 10 },
    { slots: 11, heads: 2, headDim: 32 },
  ])('are two kernels, $slots rows of $heads heads of $headDim', async (shape) => {
    const fused = await attended({ ...GPU_KERNELS, maxStorageBuffers: 10, fewRows: 64 }, shape);
    const { results } = await attended(CPU_KERNELS, shape);
    expect(fused.shaders).toEqual(['attention_decode', 'matmul_skinny']);
    expectClose(fused.results, results);
  });
});
