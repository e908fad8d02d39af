/** The autotuner on a device: every way of every product computes the same, timings are taken, and a way that is wrong is never chosen. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TensorKind } from '../../src/formats/tensors.ts';
import { isSoftwareAdapter, type GpuContext } from '../../src/gpu/gpuContext.ts';
import type { Tunable, Way } from '../../src/gpu/dispatch.ts';
import { Graph } from '../../src/graph/graph.ts';
import { linear } from '../../src/ops/matmul/linear.ts';
import { opCases } from '../../src/verify/opCases.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { TestStand } from '../../src/tuning/kernelBenchmark.ts';
import { measureWork, type Stand } from '../../src/tuning/autotuner.ts';
import { worksOf, type Work } from '../../src/tuning/tuningProblems.ts';
import { TILED } from '../helpers/agreement.ts';
import { gpuWith, testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();
/** Where compiling takes seconds a kernel. */
const onCpu = gpu !== null && isSoftwareAdapter(gpu.adapterInfo);

describe.skipIf(!gpu)('the autotuner', { timeout: 600_000 }, () => {
  let context: GpuContext;
  beforeAll(async () => {
    context = await gpuWith(TILED);
  });
  afterAll(() => context.dispose());

  const settingsOfHighest = () => ({ ...context.settings, level: context.levels.at(-1)! });
  const worksIn = (graph: Graph) => worksOf([makePlan('test', graph, context.settings, context.limits)]);
  const linearWork = (tokens: number, width: number, out: number, kind: TensorKind): Work => {
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
  ] as const)('has only ways that agree: %s, %i tokens, %i to %i', async (kind, tokens, width, out) => {
    const work = linearWork(tokens, width, out, kind);
    const ways = work.tunable.ways(settingsOfHighest());
    expect(ways.length).toBeGreaterThanOrEqual(width % 4 === 0 ? 3 : 1);
    await TestStand.with(context, work, settingsOfHighest(), async (stand) => {
      const all = [...ways, ...work.tunable.near(ways[0], settingsOfHighest())];
      expect(await stand.prepare(all)).toEqual(all);
      for (const way of all)
        expect(await stand.difference(way, ways[0]), way.name).toBeLessThanOrEqual(way.bound);
    });
  });

  it.each(onCpu ? ['terms'] : ['columns', 'terms'])(
    'has only ways that agree: a group along %s',
    async (along) => {
      const works = opCases().flatMap(({ graph }) => worksIn(graph));
      const work = works.find(
        ({ tunable }) => tunable.key.includes(' nf4') && tunable.key.includes(`, ${along} `),
      )!;
      const ways = work.tunable.ways(settingsOfHighest());
      expect(work.tunable.outputs.length).toBe(
        along === 'columns' ? work.tunable.key.split(' + ').length : 1,
      );
      await TestStand.with(context, work, settingsOfHighest(), async (stand) => {
        expect(await stand.prepare(ways)).toEqual(ways);
        for (const way of ways)
          expect(await stand.difference(way, ways[0]), way.name).toBeLessThanOrEqual(way.bound);
      });
    },
  );

  it('measures each level and chooses a way that there is', async () => {
    const work = linearWork(64, 64, 64, 'nf4');
    const measured = await TestStand.with(context, work, settingsOfHighest(), (stand) =>
      measureWork(work.tunable, context.levels, context.settings, stand, () => false),
    );
    expect(Object.keys(measured!)).toEqual(context.levels);
    for (const level of context.levels) {
      const settings = { ...context.settings, level };
      const names = work.tunable.ways(settings).flatMap((way) => [way, ...work.tunable.near(way, settings)]);
      expect(names.map(({ name }) => name)).toContain(measured![level]!.way);
      expect(measured![level]!.ms).toBeGreaterThan(0);
    }
  });

  it.each([
    ['does nothing', () => []],
    ['multiplies by 1.001', (tunable: Tunable, rule: Way) => scaled(tunable, rule, 1.001)],
    ['makes numbers that are none', (tunable: Tunable, rule: Way) => scaled(tunable, rule, 3e38)],
  ] as const)('never chooses a way that %s, however fast', async (_, dispatches) => {
    const work = linearWork(64, 128, 64, 'nf4');
    const [rule] = work.tunable.ways(context.settings);
    const wrong: Way = { name: 'wrong', variant: 'wrong', level: 'plain', bound: rule.bound };
    const tunable: Tunable = {
      ...work.tunable,
      ways: (settings) => [...work.tunable.ways(settings), wrong],
      near: () => [],
      dispatches: (way, settings) =>
        way.name === 'wrong' ? dispatches(work.tunable, rule) : work.tunable.dispatches(way, settings),
    };
    const measured = await TestStand.with(context, { ...work, tunable }, context.settings, async (stand) => {
      expect(await stand.prepare([rule, wrong])).toHaveLength(2);
      expect(await stand.difference(wrong, rule)).toBeGreaterThan(wrong.bound);
      // Nothing is faster than what is wrong.
      const time: Stand['time'] = async (timings) =>
        (await stand.time(timings)).map((ms, i) => (timings[i].way.name === 'wrong' ? 1e-6 : ms));
      return measureWork(
        tunable,
        ['plain'],
        context.settings,
        Object.assign(Object.create(stand) as Stand, { time }),
        () => false,
      );
    });
    expect(measured!.plain!.way).not.toBe('wrong');
    expect(tunable.ways(context.settings).map(({ name }) => name)).toContain(measured!.plain!.way);
  });

  function scaled(tunable: Tunable, rule: Way, f32: number) {
    return tunable
      .dispatches(rule, context.settings)
      .map((dispatch) => ({ ...dispatch, constants: { ...dispatch.constants, ALPHA: { f32 } } }));
  }
});
