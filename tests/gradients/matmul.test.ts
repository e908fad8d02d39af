/**
 * Matmul by the unrolled and the skinny kernels, which the heuristic takes for sizes that no other test has,
 * equals the kernels for CPU adapters: single and grouped, forward and input gradient.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TensorKind } from '../../src/formats/tensors.ts';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import { Graph } from '../../src/graph/graph.ts';
import { linear, linearDxOp } from '../../src/ops/matmul/linear.ts';
import { linearGroup, linearGroupDxOp } from '../../src/ops/matmul/linearGroup.ts';
import { GraphRunner } from '../../src/verify/graphRunner.ts';
import { uniform } from '../../src/verify/caseBuilder.ts';
import { stored } from '../../src/verify/caseWeights.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { GPU_KERNELS } from '../helpers/agreement.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();

/** Enough rows for NF4 to be dequantised ahead of the product, and no multiple of a tile. */
const MANY = 260;
const UNROLLED = 'plain 128x128 8x8 unrolled';
const DECODES = `${UNROLLED}, dequantises`;

interface Case {
  rows: number;
  config: string;
  kind: TensorKind;
  outs: number[];
  width: number;
  /** Of the forward product. */
  splitK: number;
  /** Bytes of workgroup memory, and the quads of an invocation that are staged in it at once. */
  bytes?: number;
  staged?: number;
}

const CASES: Case[] = [
  { rows: MANY, config: UNROLLED, kind: 'f32', outs: [136], width: 152, splitK: 1 },
  { rows: MANY, config: UNROLLED, kind: 'nf4', outs: [136], width: 152, splitK: 1 },
  { rows: MANY, config: UNROLLED, kind: 'nf4', outs: [136], width: 384, splitK: 2 },
  { rows: MANY, config: UNROLLED, kind: 'nf4', outs: [144, 64, 32], width: 128, splitK: 1 },
  { rows: 140, config: DECODES, kind: 'nf4', outs: [136], width: 152, splitK: 1 },
  { rows: 140, config: DECODES, kind: 'nf4_f32', outs: [136], width: 384, splitK: 2 },
  { rows: 70, config: DECODES, kind: 'nf4', outs: [144, 64, 32], width: 128, splitK: 1 },
  { rows: 1, config: 'plain skinny by 4', kind: 'nf4', outs: [144, 72, 20], width: 576, splitK: 1 },
  { rows: 8, config: 'plain skinny by 2', kind: 'nf4', outs: [50], width: 96, splitK: 1 },
  { rows: 2, config: 'plain skinny by 4', kind: 'nf4', outs: [24, 16], width: 2048, splitK: 1 },
  {
    rows: 4,
    config: 'plain wide skinny by 4',
    kind: 'nf4',
    outs: [56, 24],
    width: 1024,
    splitK: 1,
    bytes: 32768,
    staged: 8,
  },
  {
    rows: 8,
    config: 'plain wide skinny by 4',
    kind: 'nf4',
    outs: [56, 24],
    width: 2048,
    splitK: 1,
    bytes: 32768,
    staged: 4,
  },
  {
    rows: 7,
    config: 'plain wide skinny by 2',
    kind: 'nf4',
    outs: [33],
    width: 1120,
    splitK: 1,
    bytes: 16384,
    staged: 2,
  },
  {
    rows: 19,
    config: 'plain wide skinny by 2',
    kind: 'nf4',
    outs: [40, 24],
    width: 1120,
    splitK: 1,
    bytes: 17408,
    staged: 2,
  },
  { rows: 9, config: 'plain wide skinny by 4', kind: 'bf16', outs: [51], width: 640, splitK: 1 },
  { rows: 5, config: 'plain wide skinny by 1', kind: 'bf16', outs: [51], width: 640, splitK: 1 },
  { rows: 1, config: 'plain skinny by 4', kind: 'bf16', outs: [40], width: 1024, splitK: 1 },
  { rows: 3, config: 'plain skinny by 1', kind: 'bf16', outs: [51], width: 640, splitK: 1 },
  { rows: 2, config: 'plain skinny by 4', kind: 'f32', outs: [16, 40], width: 1184, splitK: 1 },
];

function build({ rows, kind, outs, width }: Case, backward: boolean): Graph {
  const graph = new Graph(false);
  const weights = outs.map((out, g) => graph.weight(`w${g}`, [out, width], kind));
  // The forward node has a group's weights stored contiguously.
  const x = graph.input('x', [rows, width], 'f32');
  const ys = outs.length > 1 ? linearGroup(graph, x, weights) : [linear(graph, x, weights[0])];
  ys.forEach((y, g) => graph.output(`y${g}`, y));
  if (!backward) return graph;
  const dys = outs.map((out, g) => graph.input(`dy${g}`, [rows, out], 'f32'));
  graph.output(
    'dx',
    outs.length > 1
      ? graph.append(linearGroupDxOp, { dys, weights })[0]
      : graph.append(linearDxOp, { dy: dys[0], weight: weights[0] })[0],
  );
  return graph;
}

describe.skipIf(!gpu)('products', () => {
  let context: GpuContext;
  beforeAll(async () => {
    context = await gpuWith({ ...GPU_KERNELS, fewRows: 64 });
  });
  afterAll(() => context.dispose());

  const directions = ({ config }: Case) => (config.startsWith(UNROLLED) ? [false, true] : [false]);
  it.each(
    CASES.flatMap((made) =>
      directions(made).map(
        (backward) =>
          [
            made.config,
            made.kind,
            made.outs.join(' + '),
            made.width,
            backward ? 'back' : 'forward',
            made,
          ] as const,
      ),
    ),
  )('%s, %s weights of %s rows, %i wide, %s', async (config, kind, _, width, direction, made) => {
    const backward = direction === 'back';
    const { settings, limits } = context;
    const weights = Object.fromEntries(
      made.outs.map((out, g) => [`w${g}`, stored(uniform(out * width, g), kind).parts]),
    );
    const feeds = Object.fromEntries([
      ['x', uniform(made.rows * width, 9)],
      ...made.outs.map((out, g) => [`dy${g}`, uniform(made.rows * out, 20 + g)]),
    ]);
    const names = backward ? ['dx'] : made.outs.map((_size, g) => `y${g}`);
    const run = async () => {
      const runner = await GraphRunner.create(context, build(made, backward), weights);
      await runner.run(feeds);
      const read = [];
      for (const name of names) read.push(await runner.read('output', name));
      runner.dispose();
      return read;
    };
    const { workgroupBytes } = settings;
    settings.workgroupBytes = made.bytes ?? workgroupBytes;
    settings.target = 'cpu';
    const expected = await run();
    settings.target = 'gpu';
    const key = makePlan('one product', build(made, backward), settings, limits).dispatches.findLast(
      ({ tuningProblem }) => tuningProblem,
    )!.tuningProblem!.key;
    settings.choices = new Map([[key, `${config} / ${backward ? 1 : made.splitK}`]]);
    const { dispatches } = makePlan('one product', build(made, backward), settings, limits);
    expect(dispatches.map(({ shader }) => shader)).toContain(
      config.startsWith(UNROLLED) ? 'matmul_tiled_unrolled' : 'matmul_skinny',
    );
    expect(dispatches.some(({ shader }) => shader.startsWith('dequantize'))).toBe(
      config === UNROLLED && made.kind === 'nf4',
    );
    if (made.staged) expect(dispatches[0].constants.A_STAGED).toBe(made.staged);
    const results = await run();
    settings.choices = undefined;
    settings.workgroupBytes = workgroupBytes;
    const largest = Math.max(
      ...expected.map((values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)),
    );
    results.forEach((values, g) =>
      expect(
        values.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[g][i])), 0) / largest,
        names[g],
      ).toBeLessThan(2e-5),
    );
  });
});
