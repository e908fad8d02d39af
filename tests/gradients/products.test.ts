/** Products by large tiles, which the rule takes for sizes that no other test has, equal the CPU adapters' kernels: alone and in groups, forward and input gradient. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TensorKind } from '../../src/formats/tensors.ts';
import type { GpuContext } from '../../src/gpu/context.ts';
import { Graph } from '../../src/ops/graph.ts';
import { linear, linearDxOp, linearGroup, linearGroupDxOp } from '../../src/ops/linear.ts';
import { GraphRunner } from '../../src/plan/graphRunner.ts';
import { stored, uniform } from '../../src/plan/opCases.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { TILED } from '../helpers/agreement.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();

/** Enough for NF4 to be written out ahead, and no multiple of a tile. */
const ROWS = 260;
const WAY = 'plain 128x128 8x8 unrolled / ';

interface Case {
  kind: TensorKind;
  outs: number[];
  width: number;
  /** Of k, forward. */
  slices: number;
}

const CASES: Case[] = [
  { kind: 'f32', outs: [136], width: 152, slices: 1 },
  { kind: 'nf4', outs: [136], width: 152, slices: 1 },
  { kind: 'nf4', outs: [136], width: 384, slices: 2 },
  { kind: 'nf4', outs: [144, 64, 32], width: 128, slices: 1 },
];

function build({ kind, outs, width }: Case, backward: boolean): Graph {
  const graph = new Graph(false);
  const weights = outs.map((out, g) => graph.weight(`w${g}`, [out, width], kind));
  // The forward node places a group's weights together.
  const x = graph.input('x', [ROWS, width], 'f32');
  const ys = outs.length > 1 ? linearGroup(graph, x, weights) : [linear(graph, x, weights[0])];
  ys.forEach((y, g) => graph.output(`y${g}`, y));
  if (!backward) return graph;
  const dys = outs.map((out, g) => graph.input(`dy${g}`, [ROWS, out], 'f32'));
  graph.output('dx', graph.append(outs.length > 1 ? linearGroupDxOp : linearDxOp, [...dys, ...weights])[0]);
  return graph;
}

describe.skipIf(!gpu)('large tiles', () => {
  let context: GpuContext;
  beforeAll(async () => {
    context = await gpuWith(TILED);
  });
  afterAll(() => context.dispose());

  it.each(CASES.flatMap((made) => [false, true].map((backward) => [made.kind, made.outs.join(' + '), made.width, backward ? 'back' : 'forward', made] as const)))(
    '%s weights of %s rows, %i wide, %s',
    async (kind, _, width, direction, made) => {
      const backward = direction === 'back';
      const { settings, limits } = context;
      const weights = Object.fromEntries(made.outs.map((out, g) => [`w${g}`, stored(uniform(out * width, g), kind).parts]));
      const feeds = Object.fromEntries([['x', uniform(ROWS * width, 9)], ...made.outs.map((out, g) => [`dy${g}`, uniform(ROWS * out, 20 + g)])]);
      const names = backward ? ['dx'] : made.outs.map((_size, g) => `y${g}`);
      const run = async () => {
        const runner = await GraphRunner.create(context, build(made, backward), weights);
        await runner.run(feeds);
        const read = [];
        for (const name of names) read.push(await runner.read('output', name));
        runner.dispose();
        return read;
      };
      settings.matmul = 'direct';
      const expected = await run();
      settings.matmul = 'tiled';
      const key = makePlan('one product', build(made, backward), settings, limits).dispatches.findLast(({ tunable }) => tunable)!.tunable!.key;
      settings.choices = new Map([[key, `${WAY}${backward ? 1 : made.slices}`]]);
      const { dispatches } = makePlan('one product', build(made, backward), settings, limits);
      expect(dispatches.map(({ shader }) => shader)).toContain('matmul_unrolled');
      const results = await run();
      settings.choices = undefined;
      const largest = Math.max(...expected.map((values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)));
      results.forEach((values, g) => expect(values.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[g][i])), 0) / largest, names[g]).toBeLessThan(2e-5));
    },
  );
});
