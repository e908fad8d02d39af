/**
 * Kernels measured on a device: every config of every product agrees, and no level with a wrong result gets a
 * time.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  configsAt,
  measureVariants,
  tuningProblems,
  type FoundProblem,
} from '../../scripts/bench/variants.ts';
import type { TensorKind } from '../../src/formats/tensors.ts';
import { value, type Dispatch } from '../../src/gpu/dispatch.ts';
import { isSoftwareAdapter } from '../../src/gpu/adapterInfo.ts';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import { Graph } from '../../src/graph/graph.ts';
import type { Node } from '../../src/graph/op.ts';
import { attention } from '../../src/ops/attention/attention.ts';
import { linear } from '../../src/ops/matmul/linear.ts';
import { makePlan, type Plan } from '../../src/plan/plan.ts';
import { measureLevels, representativeNodes } from '../../src/tuning/autotuner.ts';
import { integerData } from '../../src/tuning/benchmarkData.ts';
import { KernelBenchmark } from '../../src/tuning/kernelBenchmark.ts';
import { opCases } from '../../src/verify/opCases.ts';
import { GPU_KERNELS } from '../helpers/agreement.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();
/** Compiling a kernel takes seconds there. */
const onCpu = gpu !== null && isSoftwareAdapter(gpu.adapterInfo);

describe.skipIf(!gpu)('measured kernels', { timeout: 600_000 }, () => {
  let context: GpuContext;
  beforeAll(async () => {
    context = await gpuWith(GPU_KERNELS);
  });
  afterAll(() => context.dispose());

  const highest = () => context.levels.at(-1)!;
  const planOf = (graph: Graph): Plan => makePlan('test', graph, context.settings, context.limits);
  const linearPlan = (tokens: number, width: number, out: number, kind: TensorKind): Plan => {
    const graph = new Graph(false);
    const x = graph.input('x', [tokens, width], 'f32');
    graph.output('y', linear(graph, x, graph.weight('w', [out, width], kind)));
    return planOf(graph);
  };
  const expectAgreement = async ({ graph, problem }: FoundProblem) => {
    const expected = configsAt(problem, { ...context.settings, level: highest() });
    const { variants, heuristic } = await measureVariants(context, graph, problem, highest());
    expect(variants.map(({ config }) => config).sort()).toEqual(expected.map(({ name }) => name).sort());
    expect(heuristic).toBe(expected[0].name);
    for (const { config, ms, difference, bound } of variants) {
      expect(difference, config).toBeLessThanOrEqual(bound);
      expect(ms, config).toBeGreaterThan(0);
    }
    return variants.length;
  };

  it.each([
    ['nf4', 70, 256, 136],
    ['nf4_f32', 16, 64, 64],
    ['bf16', 48, 260, 40],
    ['f32', 65, 30, 50],
  ] as const)('agree in all configs: %s, %i tokens, %i to %i', async (kind, tokens, width, out) => {
    const [found] = tuningProblems([linearPlan(tokens, width, out, kind)]);
    expect(await expectAgreement(found)).toBeGreaterThanOrEqual(width % 4 === 0 ? 3 : 1);
  });

  it.each(onCpu ? ['terms'] : ['columns', 'terms'])(
    'agree in all configs: a group along %s',
    async (along) => {
      const found = tuningProblems(opCases().map(({ graph }) => planOf(graph))).find(
        ({ problem: { key } }) => key.includes(' nf4') && key.includes(`, ${along} `),
      )!;
      const { outputs, key } = found.problem;
      expect(outputs.length).toBe(along === 'columns' ? key.split(' + ').length : 1);
      await expectAgreement(found);
    },
  );

  it('stand for a plan by their nodes, of which each level gets a time', async () => {
    const graph = new Graph(false);
    const documents = {
      start: graph.input('documentStart', [64], 'u32'),
      end: graph.input('documentEnd', [64], 'u32'),
    };
    let x = graph.input('x', [64, 64], 'f32');
    for (let layer = 0; layer < 2; layer++) {
      const [q, k, v] = ['q', 'k', 'v'].map((name) =>
        linear(graph, x, graph.weight(`${name}${layer}`, [64, 64], 'nf4')),
      );
      x = attention(graph, q, k, v, documents, { heads: 4, keyHeads: 4, headDim: 16, scale: 0.25 });
    }
    graph.output('y', x);
    const plan = planOf(graph);
    const nodes = representativeNodes(plan);
    expect(nodes.map(({ node, count }) => [node.op.name, count])).toEqual([
      ['linear', 6],
      ['attention', 2],
    ]);
    // The level above computes the same by the same kernels, written otherwise.
    const twice = nodes.map(({ node, count }) => ({ node: changed(node, (list) => list), count }));
    const times = (await KernelBenchmark.with(context, graph, (benchmark) =>
      measureLevels(twice, ['plain', 'f16'], context.settings, benchmark, () => false),
    ))!;
    expect(Object.keys(times)).toEqual(['plain', 'f16']);
    expect(times.plain).toBeGreaterThan(0);
    expect(times.f16).toBeGreaterThan(0);
  });

  it('are given documents that lie end to end', () => {
    const graph = new Graph(false);
    const data = (name: string) => [...integerData(graph.input(name, [10], 'u32'))];
    expect(data('documentStart')).toEqual([0, 0, 0, 3, 3, 3, 6, 6, 6, 9]);
    expect(data('documentEnd')).toEqual([3, 3, 3, 6, 6, 6, 9, 9, 9, 10]);
    expect(data('positions')).toEqual(Array(10).fill(0));
  });

  it.each([
    ['does nothing', () => []],
    ['multiplies by 1.01', (list: Dispatch[]) => scaled(list, 1.01)],
    ['makes numbers that are not finite', (list: Dispatch[]) => scaled(list, 3e38)],
  ] as const)('give no time to a level that %s', async (_, change) => {
    const plan = linearPlan(64, 128, 64, 'nf4');
    const [{ node, count }] = representativeNodes(plan);
    const measure = (of: Node) =>
      KernelBenchmark.with(context, plan.graph, (benchmark) =>
        measureLevels([{ node: of, count }], ['plain', 'f16'], context.settings, benchmark, () => false),
      );
    expect(Object.keys((await measure(changed(node, change)))!)).toEqual(['plain']);
    expect(Object.keys((await measure(changed(node, (list) => scaled(list, 1.001))))!)).toEqual([
      'plain',
      'f16',
    ]);
  });

  it('are compared by their largest difference', async () => {
    const plan = linearPlan(64, 128, 64, 'nf4');
    const [{ node }] = representativeNodes(plan);
    const own = node.op.dispatches(node, context.settings);
    await KernelBenchmark.with(context, plan.graph, async (benchmark) => {
      const outputs = node.outputs.map(value);
      const [reference, half] = await Promise.all([
        benchmark.compile(own),
        benchmark.compile(scaled(own, 1.5)),
      ]);
      expect(await benchmark.difference(reference!, reference!, outputs)).toBe(0);
      expect(await benchmark.difference(half!, reference!, outputs)).toBeCloseTo(0.5);
    });
  });

  /** The node with other dispatches at f16; one constant more makes them differ from plain's in any case. */
  function changed(node: Node, change: (list: Dispatch[]) => Dispatch[]): Node {
    const dispatches: Node['op']['dispatches'] = (of, settings) => {
      const own = node.op.dispatches(of, { ...settings, level: 'plain' });
      if (settings.level === 'plain') return own;
      return change(own).map((each) => ({ ...each, constants: { ...each.constants, UNUSED: 1 } }));
    };
    return { ...node, op: { ...node.op, dispatches } };
  }

  function scaled(list: readonly Dispatch[], f32: number): Dispatch[] {
    return list.map((each) => ({ ...each, constants: { ...each.constants, ALPHA: { f32 } } }));
  }
});
