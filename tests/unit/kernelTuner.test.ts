/**
 * Measured levels are remembered by adapter, kernels and shapes, and what another program stored does no
 * harm.
 */
import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it } from 'vitest';
import { SHAPES } from '../../src/verify/randomModel.ts';
import type { TensorInfo } from '../../src/formats/tensors.ts';
import type { Dispatch } from '../../src/gpu/dispatch.ts';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import type { Node } from '../../src/graph/op.ts';
import { DeviceLostError } from '../../src/lib/errors.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { type Database } from '../../src/storage/database.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import { putTuning, readTuning, tuningIn } from '../../src/storage/tuning.ts';
import { readKernelChoice } from '../../src/tuning/kernelChoice.ts';
import type { KernelBenchmark } from '../../src/tuning/kernelBenchmark.ts';
import { KernelTuner, tuningKey, type TuningMemory } from '../../src/tuning/kernelTuner.ts';
import { kernelSettings } from '../helpers/kernelSettings.ts';

let database: Database;
let count = 0;
beforeEach(async () => {
  database = await openDatabase(`tuning ${count++}`);
});

function device(name = 'some GPU', workgroupBytes = 16384): GpuContext {
  return {
    name,
    levels: ['plain', 'f16'],
    settings: kernelSettings({ workgroupBytes }),
    device: { features: new Set(['timestamp-query']) },
    causeOf: async (error: unknown) => error,
  } as unknown as GpuContext;
}

/** A plan of one attention node whose kernel takes 2 ms at plain and 1 ms at f16. */
const PLAN = {
  graph: {},
  dispatches: [],
  nodes: [
    {
      op: {
        name: 'attention',
        dispatches: (_: unknown, { level }: { level: string }) => [{ shader: level } as Dispatch],
      },
      outputs: [],
    },
  ] as unknown as Node[],
} as unknown as Plan;
const TIMES = { plain: 2, f16: 1 };

/** @param onTime called before each timing; what it throws the device throws */
function tuner(memory: TuningMemory | null, onTime: () => void = () => undefined): KernelTuner {
  return new KernelTuner(memory, (_context, _graph, use) =>
    use({
      compile: async (dispatches: readonly Dispatch[]) => ({ dispatches }),
      warmUp: async () => undefined,
      difference: async () => 0,
      time: async (timings: Parameters<KernelBenchmark['time']>[0]) => {
        onTime();
        return timings.map(({ program }) => (program.dispatches[0].shader === 'f16' ? 1 : 2));
      },
    } as unknown as KernelBenchmark),
  );
}

const never = () => false;

describe('measured levels', () => {
  it('are remembered over a reload, by adapter, its limits and the shapes', async () => {
    const memory = tuningIn(Promise.resolve(database));
    await tuner(memory).measure(device(), 'a', PLAN, never);
    const again = tuner(memory);
    expect(await again.known(device(), 'a')).toEqual(TIMES);
    expect(await again.known(device(), 'b')).toBeUndefined();
    expect(await again.known(device('another GPU'), 'a')).toBeUndefined();
    expect(await again.known(device('some GPU', 32768), 'a')).toBeUndefined();
  });

  it('of two devices in one host do not mix', async () => {
    const one = tuner(null);
    const [first, second] = [device('one'), device('two')];
    await one.measure(first, 'a', PLAN, never);
    expect(await one.known(first, 'a')).toEqual(TIMES);
    expect(await one.known(second, 'a')).toBeUndefined();
  });

  it('are not remembered where the measurement was stopped', async () => {
    let timings = 0;
    const gpu = device();
    const stopping = tuner(null, () => timings++);
    await stopping.measure(gpu, 'a', PLAN, () => timings > 0);
    expect(timings).toBeGreaterThan(0);
    expect(await stopping.known(gpu, 'a')).toBeUndefined();
  });

  it('are none where measuring fails, now and after a reload', async () => {
    const memory = tuningIn(Promise.resolve(database));
    const failing = tuner(memory, () => {
      throw new Error('no memory');
    });
    await failing.measure(device(), 'a', PLAN, never);
    expect(await failing.known(device(), 'a')).toEqual({});
    expect(await tuner(memory).known(device(), 'a')).toEqual({});
  });

  it('are not remembered of a device that was lost, and the loss is thrown', async () => {
    const gpu = device();
    const losing = tuner(null, () => {
      throw new DeviceLostError('gone');
    });
    await expect(losing.measure(gpu, 'a', PLAN, never)).rejects.toThrow('gone');
    expect(await losing.known(gpu, 'a')).toBeUndefined();
  });

  it('serve this session where the database is full or cannot be read', async () => {
    const broken: TuningMemory = {
      read: () => Promise.reject(new Error('no database')),
      put: () => Promise.reject(new DOMException('full', 'QuotaExceededError')),
    };
    const gpu = device();
    const tuning = tuner(broken);
    await tuning.measure(gpu, 'a', PLAN, never);
    expect(await tuning.known(gpu, 'a')).toEqual(TIMES);
  });

  it('that another program or version stored are ignored', async () => {
    const good: [string, unknown][] = [
      ['good', { plain: 1, matrix: 0.5 }],
      ['none', {}],
    ];
    const bad: [string, unknown][] = [
      null,
      'fast',
      7,
      [],
      { plain: 'fast' },
      { plain: -1 },
      { plain: NaN },
      { fastest: 1 },
      { plain: { config: 'fast', ms: 1 } },
    ].map((entry, i) => [`bad ${i}`, entry]);
    const known = tuner({ read: async () => new Map([...good, ...bad]), put: async () => undefined });
    for (const [key, times] of good) expect(await known.known(device(), key)).toEqual(times);
    for (const [key] of bad) expect(await known.known(device(), key), key).toBeUndefined();
  });
});

describe('the key of the shapes', () => {
  const config = SHAPES['SmolLM2-135M'];
  const tensors = (kind: TensorInfo['kind']) => new Map([['w', { name: 'w', shape: [2, 2], kind }]]);
  const key = (tokensPerMicroBatch: number, kind: TensorInfo['kind'] = 'nf4', change: object = {}) =>
    tuningKey({ config: { ...config, ...change }, tensors: tensors(kind), tokensPerMicroBatch });

  it('is the same for about as many tokens', () => {
    expect(key(544)).toBe(key(640));
    expect(key(640)).not.toBe(key(672));
    expect(key(512)).not.toBe(key(544));
  });

  it('differs by the sizes of the model and by how weights are stored', () => {
    expect(key(512, 'bf16')).not.toBe(key(512));
    expect(key(512, 'nf4', { num_hidden_layers: 7 })).not.toBe(key(512));
    expect(key(512, 'nf4', { _name_or_path: 'elsewhere' })).toBe(key(512));
  });
});

describe('the choice that is stored with a run', () => {
  it('is read as it was written', () => {
    for (const basis of ['measured', 'off', 'only', 'requested', 'unknown'] as const)
      expect(readKernelChoice({ level: 'f16', basis })).toEqual({ level: 'f16', basis });
    expect(readKernelChoice({ level: 'f16', basis: 'measured', ignoredChoices: 2 })).toEqual({
      level: 'f16',
      basis: 'measured',
      ignoredChoices: 2,
    });
  });

  it('keeps the level of an earlier version, and counts the kernels that it chose by shape', () => {
    expect(readKernelChoice({ level: 'matrix', choices: { a: 'x', b: 'y' }, measured: 2, of: 3 })).toEqual({
      level: 'matrix',
      basis: 'measured',
      ignoredChoices: 2,
    });
    expect(readKernelChoice({ level: 'plain', choices: {}, measured: 0, of: 0 })).toEqual({
      level: 'plain',
      basis: 'off',
    });
  });

  it('is none where something else is stored', () => {
    for (const stored of [undefined, null, 3, {}, { level: 'double' }])
      expect(readKernelChoice(stored)).toBeNull();
  });
});

describe('the store of measurements', () => {
  it('keeps adapters apart, and deletes what other kernels left', async () => {
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
