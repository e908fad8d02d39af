/** The autotuner on a device: every way of every product computes the same, timings are taken, and a way that is wrong is never chosen. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TensorKind } from '../../src/formats/tensors.ts';
import { isSoftwareAdapter, type GpuContext } from '../../src/gpu/gpuContext.ts';
import type { TuningProblem, KernelConfig } from '../../src/gpu/dispatch.ts';
import { Graph } from '../../src/graph/graph.ts';
import { linear } from '../../src/ops/matmul/linear.ts';
import { opCases } from '../../src/verify/opCases.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { DeviceBenchmark } from '../../src/tuning/kernelBenchmark.ts';
import { measureTask, type KernelBenchmark } from '../../src/tuning/autotuner.ts';
import { tuningTasksOf, type TuningTask } from '../../src/tuning/tuningProblems.ts';
import { GPU_KERNELS } from '../helpers/agreement.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();
/** Where compiling takes seconds a kernel. */
const onCpu = gpu !== null && isSoftwareAdapter(gpu.adapterInfo);

describe.skipIf(!gpu)('the autotuner', { timeout: 600_000 }, () => {
  let context: GpuContext;
  beforeAll(async () => {
    context = await gpuWith(GPU_KERNELS);
  });
  afterAll(() => context.dispose());

  const settingsOfHighest = () => ({ ...context.settings, level: context.levels.at(-1)! });
  const worksIn = (graph: Graph) =>
    tuningTasksOf([makePlan('test', graph, context.settings, context.limits)]);
  const linearWork = (tokens: number, width: number, out: number, kind: TensorKind): TuningTask => {
    const graph = new Graph(false);
    graph.output(
      'y',
      linear(graph, graph.input('x', [tokens, width], 'f32'), graph.weight('w', [out, width], kind)),
    );
    return worksIn(graph)[0];
  };

  it.each([
    ['nf4', 70, 256, 136],
    ['nf4_f32', 16, 64, 64],
    ['bf16', 48, 260, 40],
    ['f32', 65, 30, 50],
  ] as const)('has only configs that agree: %s, %i tokens, %i to %i', async (kind, tokens, width, out) => {
    const task = linearWork(tokens, width, out, kind);
    const configs = task.tuningProblem.configs(settingsOfHighest());
    expect(configs.length).toBeGreaterThanOrEqual(width % 4 === 0 ? 3 : 1);
    await DeviceBenchmark.with(context, task, settingsOfHighest(), async (benchmark) => {
      const all = [...configs, ...task.tuningProblem.near(configs[0], settingsOfHighest())];
      expect(await benchmark.prepare(all)).toEqual(all);
      for (const config of all)
        expect(await benchmark.difference(config, configs[0]), config.name).toBeLessThanOrEqual(config.bound);
    });
  });

  it.each(onCpu ? ['terms'] : ['columns', 'terms'])(
    'has only configs that agree: a group along %s',
    async (along) => {
      const tasks = opCases().flatMap(({ graph }) => worksIn(graph));
      const task = tasks.find(
        ({ tuningProblem }) =>
          tuningProblem.key.includes(' nf4') && tuningProblem.key.includes(`, ${along} `),
      )!;
      const configs = task.tuningProblem.configs(settingsOfHighest());
      expect(task.tuningProblem.outputs.length).toBe(
        along === 'columns' ? task.tuningProblem.key.split(' + ').length : 1,
      );
      await DeviceBenchmark.with(context, task, settingsOfHighest(), async (benchmark) => {
        expect(await benchmark.prepare(configs)).toEqual(configs);
        for (const config of configs)
          expect(await benchmark.difference(config, configs[0]), config.name).toBeLessThanOrEqual(
            config.bound,
          );
      });
    },
  );

  it('measures each level and chooses a config that there is', async () => {
    const task = linearWork(64, 64, 64, 'nf4');
    const measured = await DeviceBenchmark.with(context, task, settingsOfHighest(), (benchmark) =>
      measureTask(task.tuningProblem, context.levels, context.settings, benchmark, () => false),
    );
    expect(Object.keys(measured!)).toEqual(context.levels);
    for (const level of context.levels) {
      const settings = { ...context.settings, level };
      const names = task.tuningProblem
        .configs(settings)
        .flatMap((config) => [config, ...task.tuningProblem.near(config, settings)]);
      expect(names.map(({ name }) => name)).toContain(measured![level]!.config);
      expect(measured![level]!.ms).toBeGreaterThan(0);
    }
  });

  it.each([
    ['does nothing', () => []],
    [
      'multiplies by 1.001',
      (tuningProblem: TuningProblem, rule: KernelConfig) => scaled(tuningProblem, rule, 1.001),
    ],
    [
      'makes numbers that are none',
      (tuningProblem: TuningProblem, rule: KernelConfig) => scaled(tuningProblem, rule, 3e38),
    ],
  ] as const)('never chooses a config that %s, however fast', async (_, dispatches) => {
    const task = linearWork(64, 128, 64, 'nf4');
    const [rule] = task.tuningProblem.configs(context.settings);
    const wrong: KernelConfig = { name: 'wrong', variant: 'wrong', level: 'plain', bound: rule.bound };
    const tuningProblem: TuningProblem = {
      ...task.tuningProblem,
      configs: (settings) => [...task.tuningProblem.configs(settings), wrong],
      near: () => [],
      dispatches: (config, settings) =>
        config.name === 'wrong'
          ? dispatches(task.tuningProblem, rule)
          : task.tuningProblem.dispatches(config, settings),
    };
    const measured = await DeviceBenchmark.with(
      context,
      { ...task, tuningProblem },
      context.settings,
      async (benchmark) => {
        expect(await benchmark.prepare([rule, wrong])).toHaveLength(2);
        expect(await benchmark.difference(wrong, rule)).toBeGreaterThan(wrong.bound);
        // Nothing is faster than what is wrong.
        const time: KernelBenchmark['time'] = async (timings) =>
          (await benchmark.time(timings)).map((ms, i) => (timings[i].config.name === 'wrong' ? 1e-6 : ms));
        return measureTask(
          tuningProblem,
          ['plain'],
          context.settings,
          Object.assign(Object.create(benchmark) as KernelBenchmark, { time }),
          () => false,
        );
      },
    );
    expect(measured!.plain!.config).not.toBe('wrong');
    expect(tuningProblem.configs(context.settings).map(({ name }) => name)).toContain(
      measured!.plain!.config,
    );
  });

  function scaled(tuningProblem: TuningProblem, rule: KernelConfig, f32: number) {
    return tuningProblem
      .dispatches(rule, context.settings)
      .map((dispatch) => ({ ...dispatch, constants: { ...dispatch.constants, ALPHA: { f32 } } }));
  }
});
