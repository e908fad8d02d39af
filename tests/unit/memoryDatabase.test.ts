/** What takes the place of IndexedDB where a browser keeps no data does what IndexedDB does. */
import 'fake-indexeddb/auto';
import { expose, wrap } from 'comlink';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { importModel } from '../../src/import/importModel.ts';
import { newRun, type Database } from '../../src/storage/database.ts';
import { openDatabase, useInMemory } from '../../src/storage/openDatabase.ts';
import { memoryDatabase } from '../../src/storage/memory/memoryDatabase.ts';
import { compareKeys, MemoryStore, type MemoryStoreApi } from '../../src/storage/memory/memoryStore.ts';
import { listModels } from '../../src/storage/models.ts';
import { openModel } from '../../src/storage/storedWeights.ts';
import {
  deleteRun,
  endRun,
  findRun,
  latestCheckpoint,
  listRuns,
  putCheckpoint,
  putPart,
  putRun,
  readPart,
  updateRun,
} from '../../src/storage/runs.ts';
import { listEvaluations, putEvaluation } from '../../src/storage/evaluations.ts';
import { putTuning, readTuning } from '../../src/storage/tuning.ts';
import { tinyModelFiles } from '../helpers/tinyModel.ts';

let count = 0;
const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
  useInMemory(null);
  vi.unstubAllGlobals();
});

/** Over a port, as from another worker. */
function inMemory(store = new MemoryStore()): Database {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  expose(store, port2);
  return memoryDatabase(wrap<MemoryStoreApi>(port1));
}

/** Everything that the rooms above ask of the database, and what they got. */
async function use(database: Database): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (const id of ['b', 'a']) {
    await putRun(database, newRun(id));
    await putPart(database, id, 'lines', [id]);
    for (const step of [10, 2]) {
      await putEvaluation(database, { runId: id, name: 'math', step, result: step });
      await putCheckpoint(database, id, step, { step });
    }
  }
  seen.push(await listRuns(database), await listEvaluations(database, 'a'));
  seen.push(await updateRun(database, 'a', { name: 'first' }), await findRun(database, 'a'));
  seen.push(await latestCheckpoint(database, 'b'));
  await endRun(
    database,
    'a',
    { state: 'finished' },
    { adapter: new Map([['x', Float32Array.of(1)]]) },
    false,
  );
  seen.push(await readPart(database, 'a', 'adapter'), await latestCheckpoint(database, 'a'));
  await expect(endRun(database, 'b', {}, { lines: [1], report: () => undefined }, false)).rejects.toThrow();
  seen.push(await findRun(database, 'b'), await readPart(database, 'b', 'lines'));
  await deleteRun(database, 'a');
  for (const store of ['runs', 'parts', 'evaluations', 'checkpoints'] as const)
    seen.push(await database.getAllKeys(store));
  await putTuning(database, { kernels: 'k', adapter: 'g' }, 's', { ms: 1 });
  await putTuning(database, { kernels: 'l', adapter: 'g' }, 's', { ms: 2 });
  seen.push(await readTuning(database, { kernels: 'l', adapter: 'g' }), await database.count('tuning'));
  const files = tinyModelFiles();
  const { id } = await importModel({
    files,
    name: 'tiny',
    quantization: 'nf4',
    database,
    checkRoom: async () => undefined,
  });
  const { weights } = await openModel(database, id);
  const pieces: Uint8Array[] = [];
  for (const name of weights.tensors.keys())
    for await (const { bytes } of weights.stream(name)) pieces.push(bytes);
  seen.push(
    (await listModels(database)).map((model) => ({ ...model, importedAt: '' })),
    pieces,
  );
  return seen;
}

describe('the database in memory', () => {
  it('answers as IndexedDB does, to whatever is stored', async () => {
    expect(await use(inMemory())).toEqual(await use(await openDatabase(`as memory ${count++}`)));
  });

  it('is one for all workers, and gone with its store', async () => {
    const store = new MemoryStore();
    await putRun(inMemory(store), newRun('a'));
    expect((await listRuns(inMemory(store))).map(({ id }) => id)).toEqual(['a']);
    expect(await listRuns(inMemory())).toEqual([]);
  });

  it('orders keys as IndexedDB does', () => {
    const keys: IDBValidKey[] = [2, 10, 'a', 'b', '\u{1f600}', ['a'], ['a', 1], ['a', 'x'], ['b'], ['b', []]];
    for (const [i, a] of keys.entries())
      for (const [j, b] of keys.entries()) {
        expect(Math.sign(compareKeys(a, b)), `${i} ${j}`).toBe(Math.sign(i - j));
        expect(Math.sign(indexedDB.cmp(a, b))).toBe(Math.sign(i - j));
      }
  });

  it('takes the place of one that the browser refuses, not of a newer one', async () => {
    const made = inMemory();
    const reasons: string[] = [];
    useInMemory((reason) => (reasons.push(reason), made));
    vi.stubGlobal('indexedDB', {
      open: () => {
        throw new DOMException('denied', 'SecurityError');
      },
    });
    expect(await openDatabase()).toBe(made);
    expect(reasons).toEqual(['denied']);
    vi.stubGlobal('indexedDB', {
      open: () => {
        throw new DOMException('newer', 'VersionError');
      },
    });
    await expect(openDatabase()).rejects.toThrow(/newer version of Finetab/);
  });
});
