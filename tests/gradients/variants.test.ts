/**
 * Every variant of a product with NF4 weights that this adapter can run, forward and input gradient, against
 * the kernels of CPU adapters. A measurement may choose any of them; other tests run the heuristic's only. A
 * tile that plain and f16 share is one shader with another type of element, and runs at f16.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import type { KernelSettings, TuningProblem } from '../../src/gpu/dispatch.ts';
import type { TensorKind } from '../../src/formats/tensors.ts';
import { Graph } from '../../src/graph/graph.ts';
import { linear, linearDxOp } from '../../src/ops/matmul/linear.ts';
import { VARIANTS } from '../../src/ops/matmul/matmulVariants.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { GraphRunner } from '../../src/verify/graphRunner.ts';
import { uniform } from '../../src/verify/caseBuilder.ts';
import { stored } from '../../src/verify/caseWeights.ts';
import { CPU_KERNELS, GPU_KERNELS } from '../helpers/agreement.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();
const offers = gpu?.levels.includes('f16') === true;

interface Shape {
  direction: 'forward' | 'input gradient';
  rows: number;
  out: number;
  width: number;
  /** Of the weight; NF4 where it says nothing. Then only what products of large sides have is run. */
  kind?: TensorKind;
}

/** Large and narrow sides and a few rows, none a multiple of a tile: between them they have every variant. */
const SHAPES: Shape[] = (['forward', 'input gradient'] as const).flatMap((direction) => [
  { direction, rows: 260, out: 136, width: 160 },
  { direction, rows: 140, out: 24, width: 160 },
  { direction, rows: 140, out: 12, width: 160 },
  { direction, rows: 20, out: 136, width: 96 },
  { direction, rows: 7, out: 72, width: 1120 },
]);
/** A weight that runs along k and is not transposed ahead, with terms that are no multiple of a tile. */
SHAPES.push({ direction: 'forward', rows: 130, out: 136, width: 44, kind: 'bf16' });

function graphOf({ direction, rows, out, width, kind = 'nf4' }: Shape): Graph {
  const graph = new Graph(false);
  const weight = graph.weight('w', [out, width], kind);
  if (direction === 'forward')
    graph.output('result', linear(graph, graph.input('x', [rows, width], 'f32'), weight));
  else
    graph.output(
      'result',
      graph.append(linearDxOp, { dy: graph.input('dy', [rows, out], 'f32'), weight })[0],
    );
  return graph;
}

function problemOf(context: GpuContext, shape: Shape, settings: KernelSettings): TuningProblem | undefined {
  const { dispatches } = makePlan('one product', graphOf(shape), settings, context.limits);
  return dispatches.find(({ tuningProblem }) => tuningProblem)?.tuningProblem;
}

/** The first shape that each variant occurs with, by direction. */
function cases(context: GpuContext) {
  const settings: KernelSettings = { ...context.settings, ...GPU_KERNELS, level: 'f16' };
  const found = new Map<string, { shape: Shape; key: string; config: string; bound: number }>();
  for (const shape of SHAPES) {
    const problem = problemOf(context, shape, settings);
    if (!problem) continue;
    for (const config of problem.configs(settings)) {
      const name = `${config.variant}, ${shape.direction}${shape.kind ? ` of ${shape.kind}` : ''}`;
      const isWanted = !shape.kind || config.variant.includes('8x16 unrolled');
      if (isWanted && !found.has(name))
        found.set(name, { shape, key: problem.key, config: config.name, bound: config.bound });
    }
  }
  const isTwin = (name: string) => found.has(name.replace(/^plain /, 'f16 ')) && name.startsWith('plain ');
  return [...found].filter(([name]) => !isTwin(name));
}

describe.skipIf(!offers)('every variant of a product (needs shader-f16)', () => {
  const made = offers ? cases(gpu) : [];
  const expected = new Map<Shape, Float32Array>();
  let cpu: GpuContext;
  let context: GpuContext;
  beforeAll(async () => {
    cpu = await gpuWith(CPU_KERNELS);
    context = await gpuWith({ ...GPU_KERNELS, level: 'f16' });
  });
  afterAll(() => {
    cpu?.dispose();
    context?.dispose();
  });

  async function run(on: GpuContext, shape: Shape): Promise<Float32Array> {
    const { rows, out, width, kind = 'nf4' } = shape;
    const runner = await GraphRunner.create(on, graphOf(shape), {
      w: stored(uniform(out * width, 3), kind).parts,
    });
    await runner.run({ x: uniform(rows * width, 9), dy: uniform(rows * out, 20) });
    const result = await runner.read('output', 'result');
    runner.dispose();
    return result;
  }

  it('is among these: tiles of every size, at both levels', () => {
    const here = made.map(([name]) => name.replace(/, (forward|input gradient).*$/, ''));
    const wanted = VARIANTS.filter(({ name }) => !/^(matrix|scalar)/.test(name))
      .map(({ name }) => name)
      // Run at f16, as the same shader.
      .filter((name, _, all) => !name.startsWith('plain ') || !all.includes(name.replace('plain', 'f16')));
    expect(wanted.length).toBeGreaterThan(20);
    expect(wanted.filter((name) => !here.includes(name))).toEqual([]);
    // The input gradient of these shapes has no narrow sides.
    const backward = made.filter(([name]) => name.endsWith('input gradient')).length;
    expect(backward).toBeGreaterThan(0.6 * wanted.length);
  });

  it.each(made)('%s, equals the kernels of CPU adapters', async (_, { shape, key, config, bound }) => {
    if (!expected.has(shape)) expected.set(shape, await run(cpu, shape));
    const reference = expected.get(shape)!;
    context.settings.choices = new Map([[key, config]]);
    const result = await run(context, shape);
    let [difference, largest] = [0, 0];
    reference.forEach((value, i) => {
      const d = Math.abs(result[i] - value);
      if (!(d <= difference)) difference = d;
      largest = Math.max(largest, Math.abs(value));
    });
    expect(difference / largest).toBeLessThan(bound);
  });
});
