/** What the database keeps of runs: versions, ends that are whole or not at all, deletion without remains. */
import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseRecipe } from '../../src/training/recipe.ts';
import { RunStore } from '../../src/worker/trainer/runStore.ts';
import type { RunRequest } from '../../src/worker/trainer/trainerProtocol.ts';
import { newRun, type Database } from '../../src/storage/database.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import {
  deleteRun,
  endRun,
  findRun,
  latestCheckpoint,
  latestCheckpointStep,
  listRuns,
  putCheckpoint,
  putPart,
  putRun,
  readPart,
  updateRun,
} from '../../src/storage/runs.ts';
import { listEvaluations, putEvaluation } from '../../src/storage/evaluations.ts';

let database: Database;
let count = 0;
beforeEach(async () => {
  database = await openDatabase(`runs ${count++}`);
});

describe('kept runs', () => {
  it('of version 1 are brought over, with their checkpoints and models', async () => {
    const name = `runs old ${count++}`;
    const old = await openDB(name, 1, {
      upgrade(made) {
        made.createObjectStore('models', { keyPath: 'id' });
        made.createObjectStore('chunks');
        made.createObjectStore('runs', { keyPath: 'id' });
        made.createObjectStore('checkpoints', { keyPath: 'id' }).createIndex('runId', 'runId');
      },
    });
    await old.put('models', { id: 'm', name: 'tiny' });
    const data = {
      modelId: 'm',
      modelName: 'tiny',
      trainFile: 'train.jsonl',
      recipe: { max_length: 64 },
      totalSteps: 12,
    };
    await old.put('runs', { id: '2026-01-01', startedAt: '2026-01-01', state: 'stopped', data });
    await old.put('checkpoints', { id: '2026-01-01/000000004', runId: '2026-01-01', data: { step: 4 } });
    old.close();
    const opened = await openDatabase(name);
    expect(await listRuns(opened)).toEqual([{ ...newRun('2026-01-01'), ...data, state: 'stopped' }]);
    expect(await latestCheckpoint(opened, '2026-01-01')).toEqual({ step: 4 });
    expect(await latestCheckpointStep(opened, '2026-01-01')).toBe(4);
    expect(await opened.get('models', 'm')).toEqual({ id: 'm', name: 'tiny' });
  });

  it('of version 2 stay as they are, and measurements find their store', async () => {
    const name = `runs old ${count++}`;
    const old = await openDB(name, 2, {
      upgrade(made) {
        made.createObjectStore('models', { keyPath: 'id' });
        made.createObjectStore('chunks');
        made.createObjectStore('runs', { keyPath: 'id' });
        made.createObjectStore('checkpoints', { keyPath: 'id' }).createIndex('runId', 'runId');
        made.createObjectStore('parts');
        made.createObjectStore('evaluations', { keyPath: ['runId', 'name', 'step'] });
      },
    });
    const run = { ...newRun('2026-02-02'), state: 'stopped' as const, step: 7 };
    await old.put('runs', run);
    await old.put('parts', [1, 2], ['2026-02-02', 'lines']);
    old.close();
    const opened = await openDatabase(name);
    expect(await listRuns(opened)).toEqual([run]);
    expect(await readPart(opened, '2026-02-02', 'lines')).toEqual([1, 2]);
    await opened.put('tuning', { plain: { way: 'x', ms: 1 } }, ['build', 'GPU', 'shape']);
    expect(await opened.count('tuning')).toBe(1);
  });

  it('keep two checkpoints, the newest and the one before', async () => {
    for (const step of [0, 4, 12]) await putCheckpoint(database, 'a', step, { step });
    await putCheckpoint(database, 'b', 100, { step: 100 });
    expect(await database.getAllKeys('checkpoints')).toEqual(['a/000000004', 'a/000000012', 'b/000000100']);
    expect(await latestCheckpoint(database, 'a')).toEqual({ step: 12 });
    // A run that went on from an earlier step has none beyond it.
    await putCheckpoint(database, 'a', 8, { step: 8 });
    expect(await database.getAllKeys('checkpoints')).toEqual(['a/000000004', 'a/000000008', 'b/000000100']);
  });

  it('keep one checkpoint where save_total_limit is 1, two where it is more', async () => {
    const save = (id: string, step: number, save_total_limit: number | null) =>
      new RunStore(database, id).save({
        recipe: parseRecipe({ training: { save_total_limit } }),
        step,
        adapter: new Map(),
        optimizer: { expAvg: new Map(), expAvgSq: new Map(), steps: step },
        inputTokens: 0,
        lines: [],
        best: null,
      });
    for (const step of [1, 2, 3])
      for (const [id, limit] of [
        ['one', 1],
        ['three', 3],
        ['free', null],
      ] as const)
        await save(id, step, limit);
    expect(await database.getAllKeys('checkpoints')).toEqual([
      'free/000000002',
      'free/000000003',
      'one/000000003',
      'three/000000002',
      'three/000000003',
    ]);
  });

  it('keep the sampled answers of at most 32 steps, in order, and replace those of steps made again', async () => {
    const answer = (reward: number | null) => ({
      text: 'a',
      tokens: 1,
      stopped: true,
      rewards: { right: reward },
      reward,
      advantage: 0,
    });
    const sampled = (step: number, reward: number) => ({
      type: 'sampled' as const,
      step,
      groups: [{ line: 1, prompt: 'p', reference: null, answers: [answer(reward), answer(null)] }],
    });
    const save = (store: RunStore, step: number) =>
      store.save({
        recipe: parseRecipe({}),
        step,
        adapter: new Map(),
        optimizer: { expAvg: new Map(), expAvgSq: new Map(), steps: step },
        inputTokens: 0,
        lines: [],
        best: null,
      });
    const store = new RunStore(database, 'g');
    // The best is at step 40: it stays, as do the first and the last.
    for (let step = 1; step <= 100; step++) store.take(sampled(step, step === 40 ? 1 : 0));
    await save(store, 100);
    const kept = (await readPart(database, 'g', 'sampled')) as { step: number }[];
    const steps = kept.map(({ step }) => step);
    expect(steps.length).toBe(32);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect(steps).toEqual(expect.arrayContaining([1, 40, 100]));
    store.take(sampled(50, 0.5));
    expect((await store.sampledAnswers()).at(-1)).toMatchObject({ step: 50 });
    expect(await new RunStore(database, 'g').sampledAnswers()).toEqual(kept);
  });

  it('go on from the checkpoint before where the newest is damaged, and say so where both are', async () => {
    const made = (step: number) => ({
      step,
      adapter: new Map([['a', { shape: [2], data: Float32Array.of(step, 0.5) }]]),
      optimizer: { m: new Float32Array(2), v: new Float32Array(2) },
      best: null,
    });
    for (const step of [4, 8]) await putCheckpoint(database, 'a', step, made(step));
    expect(await latestCheckpoint(database, 'a')).toEqual(made(8));
    const spoil = async (id: string, change: (data: ReturnType<typeof made>) => void) => {
      const stored = (await database.get('checkpoints', id))!;
      change(stored.data as ReturnType<typeof made>);
      await database.put('checkpoints', stored);
    };
    await spoil('a/000000008', ({ adapter }) => (adapter.get('a')!.data[1] = 0.25));
    expect(await latestCheckpoint(database, 'a')).toEqual(made(4));
    await spoil('a/000000004', (data) => Reflect.deleteProperty(data, 'optimizer'));
    await expect(latestCheckpoint(database, 'a')).rejects.toThrow(
      /checkpoints of this run are damaged.*train again/,
    );
  });

  describe('whose checkpoints are large', () => {
    const made = (step: number, length = 100) => ({
      step,
      adapter: new Map(
        [1, length, 0, 7].map((size, at): [string, unknown] => [
          `${at}`,
          { shape: [size], data: Float32Array.from({ length: size }, (_, i) => step + i / 8) },
        ]),
      ),
      optimizer: { m: new Float32Array(3).fill(step), v: Uint8Array.of(1, 2, step) },
      lines: [{ step }],
      best: null,
    });
    /** Bytes a piece. */
    const PIECE = 64;

    it('keep them in pieces and read them back equal, two at most', async () => {
      for (const step of [4, 8, 12]) await putCheckpoint(database, 'a', step, made(step), PIECE);
      expect(await latestCheckpoint(database, 'a')).toEqual(made(12));
      const keys = await database.getAllKeys('pieces');
      // 108 + 3 floats and 3 bytes.
      expect(keys.length).toBe(2 * Math.ceil((4 * 111 + 3) / PIECE));
      expect(new Set(keys.map(([id]) => id))).toEqual(new Set(['a/000000008', 'a/000000012']));
      expect((await database.get('pieces', keys[0]))!.byteLength).toBe(PIECE);
      // Written once more at the same step, as a resumed run does.
      await putCheckpoint(database, 'a', 12, made(12, 90), PIECE);
      expect(await latestCheckpoint(database, 'a')).toEqual(made(12, 90));
      expect((await database.getAllKeys('pieces')).length).toBe(
        Math.ceil((4 * 111 + 3) / PIECE) + Math.ceil((4 * 101 + 3) / PIECE),
      );
      await putRun(database, newRun('a'));
      await putCheckpoint(database, 'a2', 12, made(12), PIECE);
      await endRun(database, 'a', { state: 'finished' }, {}, false);
      expect(new Set((await database.getAllKeys('pieces')).map(([id]) => id))).toEqual(
        new Set(['a2/000000012']),
      );
      // The adapter of the end takes the place of the checkpoints, whole or not at all.
      await putRun(database, newRun('a2'));
      const { adapter } = made(16);
      const end = (value: unknown, keeps = false) =>
        endRun(database, 'a2', { state: 'finished' }, { adapter: value, lines: [1] }, keeps, PIECE);
      await expect(end(new Map([...adapter, ['bad', () => undefined]]))).rejects.toThrow();
      expect(await latestCheckpoint(database, 'a2')).toEqual(made(12));
      expect((await database.getAllKeys('pieces')).every(([id]) => id === 'a2/000000012')).toBe(true);
      await end(adapter, true);
      await putCheckpoint(database, 'a2', 14, made(14), PIECE);
      expect(await readPart(database, 'a2', 'adapter')).toEqual(adapter);
      await end(made(18).adapter);
      expect(await readPart(database, 'a2', 'adapter')).toEqual(made(18).adapter);
      expect((await database.getAllKeys('pieces')).length).toBe(Math.ceil((4 * 108) / PIECE));
      const small = new Map([['a', { shape: [1], data: Float32Array.of(3) }]]);
      await end(small);
      expect(await readPart(database, 'a2', 'adapter')).toEqual(small);
      expect(await database.count('pieces')).toBe(0);
      await putCheckpoint(database, 'a2', 20, made(20), PIECE);
      await deleteRun(database, 'a2');
      expect(await database.count('pieces')).toBe(0);
    });

    it('go on from the one before where a piece is damaged or gone', async () => {
      for (const step of [4, 8]) await putCheckpoint(database, 'a', step, made(step), PIECE);
      const key = ['a/000000008', 2, 1] as [string, number, number];
      const piece = (await database.get('pieces', key))!;
      await database.put('pieces', piece.with(5, 99), key);
      expect(await latestCheckpoint(database, 'a')).toEqual(made(4));
      await database.delete('pieces', key);
      expect(await latestCheckpoint(database, 'a')).toEqual(made(4));
      await database.put('pieces', piece, key);
      expect(await latestCheckpoint(database, 'a')).toEqual(made(8));
    });

    it('keep the last whole one where a later one is cut off, and clean up after it', async () => {
      await putCheckpoint(database, 'a', 4, made(4), PIECE);
      const before = await database.getAllKeys('pieces');
      let writes = 0;
      const full = new Proxy(database, {
        get(target, name) {
          if (name !== 'put') return (Reflect.get(target, name) as () => unknown).bind(target);
          return (store: 'pieces', ...rest: [Uint8Array, [string, number, number]]) => {
            if (++writes > 3) throw new DOMException('full', 'QuotaExceededError');
            return target.put(store, ...rest);
          };
        },
      });
      await expect(putCheckpoint(full, 'a', 4, made(5), PIECE)).rejects.toThrow(
        /storage is full.*last checkpoint that fitted is kept/,
      );
      expect(await latestCheckpoint(database, 'a')).toEqual(made(4));
      expect(await database.getAllKeys('pieces')).toEqual(before);
      // Pieces that a closed tab left go with the next checkpoint.
      for (const index of [0, 1])
        await database.put('pieces', new Uint8Array(PIECE), ['a/000000009', 2, index]);
      expect(await latestCheckpoint(database, 'a')).toEqual(made(4));
      await putCheckpoint(database, 'a', 6, made(6), PIECE);
      expect(new Set((await database.getAllKeys('pieces')).map(([id]) => id))).toEqual(
        new Set(['a/000000004', 'a/000000006']),
      );
    });
  });

  it('say which stored part is damaged', async () => {
    await putRun(database, newRun('a'));
    await endRun(database, 'a', { state: 'finished' }, { adapter: [1], lines: [2] }, false);
    await database.put('parts', [3], ['a', 'adapter']);
    await expect(readPart(database, 'a', 'adapter')).rejects.toThrow(/stored adapter of this run is damaged/);
    expect(await readPart(database, 'a', 'lines')).toEqual([2]);
  });

  it('are not resumed with other rows unless the person consents', async () => {
    const request = (sha256: string, more: Partial<RunRequest> = {}) =>
      ({
        modelId: 'm',
        modelName: 'tiny',
        recipe: parseRecipe({}),
        trainLengths: [4],
        longestValidation: 4,
        training: { file: 'train.jsonl', parts: [{ file: 'train.jsonl', sha256 }] },
        resumeRunId: null,
        consents: false,
        startFrom: null,
        ...more,
      }) as unknown as RunRequest;
    const store = new RunStore(database, 'a');
    await store.begin(request('1'));
    const resumed = { resumeRunId: 'a' };
    await expect(store.begin(request('2', resumed))).rejects.toMatchObject({
      name: 'NeedsConsentError',
      message: expect.stringMatching(/made with other rows: train.jsonl has another SHA-256 now/) as string,
    });
    expect((await store.begin(request('1', resumed))).trainHashes).toEqual(['1']);
    expect((await store.begin(request('2', { ...resumed, consents: true }))).trainHashes).toEqual(['2']);
  });

  it('end in one piece: parts in, checkpoint out, changes of others kept', async () => {
    await putRun(database, newRun('a'));
    await updateRun(database, 'a', { name: 'first' });
    await putCheckpoint(database, 'a', 4, { step: 4 });
    await endRun(database, 'a', { state: 'finished', adapterStep: 8 }, { lines: [{ step: 1 }] }, false);
    expect(await findRun(database, 'a')).toEqual({
      ...newRun('a'),
      name: 'first',
      state: 'finished',
      adapterStep: 8,
      partHashes: { lines: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    });
    expect(await readPart(database, 'a', 'lines')).toEqual([{ step: 1 }]);
    expect(await latestCheckpoint(database, 'a')).toBeUndefined();
    // What cannot be stored takes the whole end back.
    await putRun(database, newRun('b'));
    await putCheckpoint(database, 'b', 4, { step: 4 });
    await expect(
      endRun(database, 'b', { state: 'finished' }, { lines: [1], report: () => undefined }, false),
    ).rejects.toThrow();
    expect([
      (await findRun(database, 'b'))!.state,
      await readPart(database, 'b', 'lines'),
      await latestCheckpointStep(database, 'b'),
    ]).toEqual(['running', undefined, 4]);
  });

  it('are deleted with all that is theirs and nothing else, also while they end', async () => {
    for (const id of ['a', 'b']) {
      await putRun(database, newRun(id));
      await putPart(database, id, 'lines', []);
      await putEvaluation(database, { runId: id, name: 'math', step: 0, result: id });
      await putCheckpoint(database, id, 4, {});
    }
    await deleteRun(database, 'a');
    for (const store of ['runs', 'parts', 'evaluations', 'checkpoints'] as const)
      expect((await database.getAllKeys(store)).length, store).toBe(1);
    expect(await listEvaluations(database, 'b')).toEqual([
      { runId: 'b', name: 'math', step: 0, result: 'b' },
    ]);
    await endRun(database, 'a', { state: 'finished' }, { lines: [] }, false);
    expect(await updateRun(database, 'a', { name: 'ghost' })).toBeUndefined();
    expect((await listRuns(database)).map(({ id }) => id)).toEqual(['b']);
  });
});
