/** What was measured is remembered by adapter, kernels and shape; time is kept to; what was stored by another hand does no harm. */
import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import type { TuningProblem } from '../../src/gpu/dispatch.ts';
import { DeviceLostError } from '../../src/lib/errors.ts';
import { Graph } from '../../src/graph/graph.ts';
import type { KernelBenchmark } from '../../src/tuning/autotuner.ts';
import type { TuningTask } from '../../src/tuning/tuningProblems.ts';
import { openDatabase, type Database } from '../../src/storage/database.ts';
import { putTuning, readTuning, tuningIn } from '../../src/storage/tuning.ts';
import { KernelTuner, type TuningMemory } from '../../src/tuning/kernelTuner.ts';
import { kernelSettings } from '../helpers/kernelSettings.ts';

const FOREVER = { budgetMs: Infinity, stopped: () => false };
let database: Database;
let count = 0;
beforeEach(async () => {
  database = await openDatabase(`tuning ${count++}`);
});
afterEach(() => {
  vi.useRealTimers();
});

function device(name = 'some GPU', workgroupBytes = 16384): GpuContext {
  const settings = kernelSettings({ workgroupBytes });
  return {
    name,
    levels: ['plain'],
    settings,
    device: { features: new Set(['timestamp-query']) },
    causeOf: async (error: unknown) => error,
  } as unknown as GpuContext;
}

/** Works whose ways 'rule' and 'fast' take what `ms` says. */
function task(key: string): TuningTask {
  const configs = ['rule', 'fast'].map((name) => ({
    name,
    variant: name,
    level: 'plain' as const,
    bound: 1e-5,
  }));
  const tuningProblem: TuningProblem = {
    key,
    operations: 1,
    outputs: [],
    configs: () => configs,
    near: () => [],
    dispatches: () => [],
  };
  return { tuningProblem, graph: new Graph(false), count: 1 };
}

/** @param onTime told of each work that is timed; what it throws the device throws */
function tuner(memory: TuningMemory | null, onTime: (key: string) => void = () => undefined): KernelTuner {
  return new KernelTuner(memory, async (_context, { tuningProblem }, _settings, use) => {
    const benchmark: KernelBenchmark = {
      prepare: async (configs) => [...configs],
      time: async (timings) => {
        onTime(tuningProblem.key);
        return timings.map(({ config }) => (config.name === 'fast' ? 1 : 2));
      },
      difference: async () => 0,
      forgetAllBut: () => undefined,
      warmUp: async () => undefined,
    };
    return use(benchmark);
  });
}

const FAST = { plain: { config: 'fast', ms: 1 } };

describe('measurements', () => {
  it('are remembered over a reload, by adapter and its limits', async () => {
    const memory = tuningIn(Promise.resolve(database));
    await tuner(memory).measure(device(), [task('a'), task('b')], FOREVER);
    const again = tuner(memory);
    expect(Object.fromEntries(await again.known(device()))).toEqual({ a: FAST, b: FAST });
    expect((await again.known(device('another GPU'))).size).toBe(0);
    expect((await again.known(device('some GPU', 32768))).size).toBe(0);
  });

  it('of two devices in one host do not mix', async () => {
    const one = tuner(null);
    const [first, second] = [device('one'), device('two')];
    await one.measure(first, [task('a')], FOREVER);
    expect((await one.known(first)).size).toBe(1);
    expect((await one.known(second)).size).toBe(0);
  });

  it('end with the time that there is; what is left may be left to the rule for good', async () => {
    vi.useFakeTimers();
    const timed = new Set<string>();
    const slow = tuner(null, (key) => {
      timed.add(key);
      vi.advanceTimersByTime(1000);
    });
    const gpu = device();
    const tasks = ['a', 'b', 'c', 'd'].map(task);
    // Each work is timed five times; one that is begun is brought to an end.
    await slow.measure(gpu, tasks, { ...FOREVER, budgetMs: 7500 });
    expect(Object.fromEntries(await slow.known(gpu))).toEqual({ a: FAST, b: FAST });
    expect([...timed]).toEqual(['a', 'b']);
    await slow.leave(gpu, tasks.slice(2));
    expect(Object.fromEntries(await slow.known(gpu))).toEqual({ a: FAST, b: FAST, c: {}, d: {} });
  });

  it('stop when they are asked to, between two timings', async () => {
    let timings = 0;
    const gpu = device();
    const stopping = tuner(null, () => timings++);
    await stopping.measure(gpu, [task('a')], { budgetMs: Infinity, stopped: () => timings >= 2 });
    expect(timings).toBe(2);
    expect((await stopping.known(gpu)).size).toBe(0);
  });

  it('tell how far they are', async () => {
    const seen: string[] = [];
    await tuner(null).measure(device(), [task('a'), task('b')], {
      ...FOREVER,
      onProgress: (done, total) => seen.push(`${done} of ${total}`),
    });
    expect(seen).toEqual(['0 of 2', '1 of 2', '2 of 2']);
  });

  it('that fail leave their shape to the rule, and the others go on', async () => {
    const gpu = device();
    const failing = tuner(null, (key) => {
      if (key === 'a') throw new Error('no memory');
    });
    await failing.measure(gpu, [task('a'), task('b')], FOREVER);
    expect(Object.fromEntries(await failing.known(gpu))).toEqual({ a: {}, b: FAST });
  });

  it('end where the device is lost, and nothing is remembered of it', async () => {
    const gpu = device();
    const losing = tuner(null, () => {
      throw new DeviceLostError('gone');
    });
    await expect(losing.measure(gpu, [task('a')], FOREVER)).rejects.toThrow('gone');
    expect((await losing.known(gpu)).size).toBe(0);
  });

  it('go on where the database has no room or cannot be read', async () => {
    const broken: TuningMemory = {
      read: () => Promise.reject(new Error('no database')),
      put: () => Promise.reject(new DOMException('full', 'QuotaExceededError')),
    };
    const gpu = device();
    const tuning = tuner(broken);
    await tuning.measure(gpu, [task('a')], FOREVER);
    expect(Object.fromEntries(await tuning.known(gpu))).toEqual({ a: FAST });
  });

  it('of another hand are as if they were not there', async () => {
    const good = { plain: { config: 'fast', ms: 0.5 }, f16: { config: 'x', ms: 0 } };
    const bad = [
      null,
      'fast',
      7,
      [],
      { plain: 'fast' },
      { plain: { config: 3, ms: 1 } },
      { plain: { config: 'fast' } },
      { plain: { config: 'fast', ms: -1 } },
      { plain: { config: 'fast', ms: NaN } },
      { fastest: { config: 'fast', ms: 1 } },
      { plain: null },
    ];
    const entries = new Map<string, unknown>([
      ['good', good],
      ['left to the rule', {}],
      ...bad.map((entry, i): [string, unknown] => [`bad ${i}`, entry]),
    ]);
    const known = await tuner({ read: async () => entries, put: async () => undefined }).known(device());
    expect([...known]).toEqual([
      ['good', good],
      ['left to the rule', {}],
    ]);
  });
});

describe('the store of measurements', () => {
  it('keeps builds and adapters ungrouped, and forgets other builds', async () => {
    const [one, two] = ['GPU one', 'GPU two'].map((adapter) => ({ kernels: 'build 2', adapter }));
    await putTuning(database, { kernels: 'build 1', adapter: 'GPU one' }, 'a', 1);
    await putTuning(database, { kernels: 'build 3', adapter: 'GPU one' }, 'a', 2);
    expect(await database.count('tuning')).toBe(1);
    await putTuning(database, one, 'a', 3);
    await putTuning(database, two, 'a', 4);
    await putTuning(database, two, 'b', 5);
    expect(await database.getAllKeys('tuning')).toEqual([
      ['build 2', 'GPU one', 'a'],
      ['build 2', 'GPU two', 'a'],
      ['build 2', 'GPU two', 'b'],
    ]);
    expect(Object.fromEntries(await readTuning(database, two))).toEqual({ a: 4, b: 5 });
    expect(Object.fromEntries(await readTuning(database, one))).toEqual({ a: 3 });
  });
});
