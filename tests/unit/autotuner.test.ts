/** The autotuner's rules with made-up timings: the fastest is taken, noise flips nothing, wrong results are dropped, time and interruptions are kept to. */
import { describe, expect, it } from 'vitest';
import type { KernelLevel, TuningProblem, KernelConfig } from '../../src/gpu/dispatch.ts';
import { LEVELS } from '../../src/gpu/dispatch.ts';
import { Graph } from '../../src/graph/graph.ts';
import {
  choicesAt,
  decideLevel,
  measureTask,
  type Experience,
  type Measured,
  type KernelBenchmark,
} from '../../src/tuning/autotuner.ts';
import { tuningTasksOf, type TuningTask } from '../../src/tuning/tuningProblems.ts';
import { kernelSettings } from '../helpers/kernelSettings.ts';

const SETTINGS = kernelSettings();

interface FakeWay {
  ms: number;
  level?: KernelLevel;
  difference?: number;
  /** Milliseconds of the first run. */
  first?: number;
  fails?: boolean;
  near?: Record<string, FakeWay>;
}

/** A tuningProblem whose ways take as long and differ as much as is said; `rules` names each level's rule. */
function fake(
  configs: Record<string, FakeWay>,
  rules: Partial<Record<KernelLevel, string>> = { plain: 'rule' },
) {
  const all = new Map<string, FakeWay>(
    Object.entries(configs).flatMap(([name, config]) => [
      [name, config] as const,
      ...Object.entries(config.near ?? {}),
    ]),
  );
  const toConfig = ([name, { level = 'plain' }]: readonly [string, FakeWay]): KernelConfig => ({
    name,
    variant: name,
    level,
    bound: level === 'plain' ? 1e-5 : 1e-3,
  });
  const log: { name: string; repeats: number }[] = [];
  const tuningProblem: TuningProblem = {
    key: 'fake',
    operations: 1,
    outputs: [],
    configs({ level }) {
      const rule = rules[level] ?? rules.plain!;
      const names = Object.keys(configs).filter(
        (name) => LEVELS.indexOf(configs[name].level ?? 'plain') <= LEVELS.indexOf(level),
      );
      return [rule, ...names.filter((name) => name !== rule)].map((name) => toConfig([name, configs[name]]));
    },
    near: ({ name }) => Object.entries(all.get(name)!.near ?? {}).map(toConfig),
    dispatches: () => [],
  };
  const seen = new Set<string>();
  const benchmark: KernelBenchmark = {
    prepare: async (asked) => asked.filter(({ name }) => !all.get(name)!.fails),
    time: async (timings) =>
      timings.map(({ config, repeats }) => {
        log.push({ name: config.name, repeats });
        const { ms, first = ms } = all.get(config.name)!;
        const warm = seen.has(config.name);
        seen.add(config.name);
        return warm ? ms : first;
      }),
    difference: async ({ name }) => all.get(name)!.difference ?? 0,
    forgetAllBut: () => undefined,
    warmUp: async () => undefined,
  };
  const measure = (
    levels: KernelLevel[] = ['plain'],
    stopped: () => boolean = () => false,
    experience?: Experience,
  ) => measureTask(tuningProblem, levels, SETTINGS, benchmark, stopped, experience);
  return { tuningProblem, measure, log, benchmark };
}

describe('measuring a task', () => {
  it('takes the fastest config', async () => {
    expect(await fake({ rule: { ms: 2 }, a: { ms: 1 }, b: { ms: 1.5 } }).measure()).toEqual({
      plain: { config: 'a', ms: 1 },
    });
  });

  it('stays with the rule where another is less than 2 % faster', async () => {
    expect(await fake({ a: { ms: 0.99 }, rule: { ms: 1 } }).measure()).toEqual({
      plain: { config: 'rule', ms: 1 },
    });
    expect(await fake({ a: { ms: 0.97 }, rule: { ms: 1 } }).measure()).toEqual({
      plain: { config: 'a', ms: 0.97 },
    });
  });

  it('drops a config beyond its bound, and one whose numbers are none', async () => {
    expect(
      await fake({
        rule: { ms: 2 },
        wrong: { ms: 0.1, difference: 2e-5 },
        none: { ms: 0.1, difference: Infinity },
        right: { ms: 1, difference: 9e-6 },
      }).measure(),
    ).toEqual({
      plain: { config: 'right', ms: 1 },
    });
    expect(await fake({ rule: { ms: 2 }, wrong: { ms: 0.1, difference: NaN } }).measure()).toEqual({
      plain: { config: 'rule', ms: 2 },
    });
  });

  it('leaves out a config that does not compile', async () => {
    expect(await fake({ rule: { ms: 2 }, a: { ms: 1, fails: true } }).measure()).toEqual({
      plain: { config: 'rule', ms: 2 },
    });
  });

  it('does not hold the first run against a kernel', async () => {
    expect(await fake({ rule: { ms: 0.2, first: 0.3 }, a: { ms: 0.1, first: 1.2 } }).measure()).toEqual({
      plain: { config: 'a', ms: 0.1 },
    });
  });

  it('runs what is far off only once', async () => {
    const { measure, log } = fake({ rule: { ms: 10 }, slow: { ms: 40 } });
    await measure();
    expect(log.filter(({ name }) => name === 'slow')).toEqual([{ name: 'slow', repeats: 1 }]);
    expect(log.filter(({ name }) => name === 'rule').length).toBeGreaterThan(3);
  });

  it('repeats short kernels until a clock can tell them ungrouped', async () => {
    const { measure, log } = fake({ rule: { ms: 0.1 }, a: { ms: 0.09 } });
    await measure();
    expect(log.at(-1)!.repeats * 0.1).toBeGreaterThan(2);
  });

  it('tries the neighbours of the fastest', async () => {
    expect(
      await fake({
        rule: { ms: 2 },
        a: { ms: 1, near: { 'a twice': { ms: 0.7 }, 'a half': { ms: 3 } } },
      }).measure(),
    ).toEqual({ plain: { config: 'a twice', ms: 0.7 } });
  });

  it('finds the fastest of each level, whose rule may be another', async () => {
    const configs = {
      rule: { ms: 4 },
      a: { ms: 3 },
      half: { ms: 2, level: 'f16' },
      units: { ms: 1, level: 'matrix', difference: 5e-4 },
    } as const;
    expect(
      await fake(configs, { plain: 'rule', f16: 'half', matrix: 'units' }).measure([
        'plain',
        'f16',
        'matrix',
      ]),
    ).toEqual({
      plain: { config: 'a', ms: 3 },
      f16: { config: 'half', ms: 2 },
      matrix: { config: 'units', ms: 1 },
    });
  });

  it('drops a level’s own rule where its result is beyond its bound', async () => {
    const configs = { rule: { ms: 4 }, half: { ms: 1, level: 'f16', difference: 2e-3 } } as const;
    expect(await fake(configs, { plain: 'rule', f16: 'half' }).measure(['plain', 'f16'])).toEqual({
      plain: { config: 'rule', ms: 4 },
      f16: { config: 'rule', ms: 4 },
    });
  });

  it('leaves a task to the rule where the plain rule itself does not run', async () => {
    expect(await fake({ rule: { ms: 2, fails: true }, a: { ms: 1 } }).measure()).toEqual({});
  });

  it('does not try a variant again that twice came nowhere near, unless it is the rule', async () => {
    const experience: Experience = new Map();
    const tried = async (configs: Parameters<typeof fake>[0]) => {
      const { measure, log } = fake(configs);
      await measure(['plain'], undefined, experience);
      return new Set(log.map(({ name }) => name));
    };
    const slowRule = { rule: { ms: 9 }, slow: { ms: 8 }, fast: { ms: 1 } };
    expect(await tried(slowRule)).toEqual(new Set(['rule', 'slow', 'fast']));
    expect(await tried(slowRule)).toEqual(new Set(['rule', 'slow', 'fast']));
    expect(await tried({ ...slowRule, fresh: { ms: 3 } })).toEqual(new Set(['rule', 'fast', 'fresh']));
  });

  it('measures at least the rule of every level where there is no time for more', async () => {
    const configs = {
      a: { ms: 1 },
      b: { ms: 1 },
      c: { ms: 1 },
      d: { ms: 1 },
      e: { ms: 1 },
      rule: { ms: 4 },
      half: { ms: 2, level: 'f16' },
    } as const;
    const { tuningProblem, benchmark } = fake(configs, { plain: 'rule', f16: 'half' });
    const measured = await measureTask(
      tuningProblem,
      ['plain', 'f16'],
      SETTINGS,
      benchmark,
      () => false,
      new Map(),
      () => true,
    );
    expect(Object.keys(measured!)).toEqual(['plain', 'f16']);
    const all: string[] = [];
    await measureTask(
      tuningProblem,
      ['plain', 'f16'],
      SETTINGS,
      { ...benchmark, prepare: async (asked) => (all.push(...asked.map(({ name }) => name)), [...asked]) },
      () => false,
      new Map(),
      () => true,
    );
    expect(all).toEqual(['rule', 'half', 'a', 'b', 'c', 'd']);
  });

  it('says so where it was stopped, whenever that is', async () => {
    for (let after = 0; after < 5; after++) {
      let asked = 0;
      expect(
        await fake({ rule: { ms: 2 }, a: { ms: 1 } }).measure(['plain'], () => asked++ >= after),
        `after ${after}`,
      ).toBeNull();
    }
  });
});

describe('a run’s level', () => {
  const task = (key: string, count: number): TuningTask => ({
    tuningProblem: { ...fake({ rule: { ms: 1 } }).tuningProblem, key },
    graph: new Graph(false),
    count,
  });
  const known = (entries: Record<string, [plain: number, f16: number]>) =>
    new Map<string, Measured>(
      Object.entries(entries).map(([key, [plain, f16]]) => [
        key,
        { plain: { config: `${key} plain`, ms: plain }, f16: { config: `${key} half`, ms: f16 } },
      ]),
    );
  const tasks = [task('large', 10), task('small', 1)];

  it('is the one whose products take least time in all', () => {
    expect(decideLevel(tasks, known({ large: [2, 1], small: [1, 5] }), ['plain', 'f16'])).toBe('f16');
    expect(decideLevel(tasks, known({ large: [1, 2], small: [5, 1] }), ['plain', 'f16'])).toBe('plain');
  });

  it('is plain unless float16 is 5 % faster', () => {
    expect(decideLevel(tasks, known({ large: [1, 0.96], small: [1, 0.96] }), ['plain', 'f16'])).toBe('plain');
    expect(decideLevel(tasks, known({ large: [1, 0.94], small: [1, 0.94] }), ['plain', 'f16'])).toBe('f16');
  });

  it('is plain where nothing was measured, and rests on what was measured at every level', () => {
    expect(decideLevel(tasks, new Map(), ['plain', 'f16'])).toBe('plain');
    const half = known({ large: [2, 1] }).set('small', { f16: { config: 'x', ms: 100 } });
    expect(decideLevel(tasks, half, ['plain', 'f16'])).toBe('f16');
  });

  it('gives each shape the config measured at that level; the others follow the rule', () => {
    const entries = known({ large: [2, 1], other: [1, 1] }).set('small', {});
    expect([...choicesAt('f16', tasks, entries)]).toEqual([['large', 'large half']]);
  });
});

describe('the tasks of plans', () => {
  it('are listed once a shape, the costliest first, by how often the first plan has them', () => {
    const tuningProblem = (key: string, operations: number): TuningProblem => ({
      ...fake({ rule: { ms: 1 } }).tuningProblem,
      key,
      operations,
    });
    const plan = (...tunables: TuningProblem[]) =>
      ({
        graph: new Graph(false),
        dispatches: tunables.map((each) => ({ tuningProblem: each })),
      }) as unknown as Parameters<typeof tuningTasksOf>[0][number];
    const tasks = tuningTasksOf([
      plan(
        tuningProblem('a', 10),
        tuningProblem('b', 3),
        tuningProblem('b', 3),
        tuningProblem('b', 3),
        tuningProblem('b', 3),
      ),
      plan(tuningProblem('c', 1000), tuningProblem('d', 5), tuningProblem('a', 10)),
    ]);
    expect(tasks.map(({ tuningProblem: { key }, count }) => [key, count])).toEqual([
      ['b', 4],
      ['a', 1],
      ['c', 0],
      ['d', 0],
    ]);
  });
});
