/**
 * A fault at every await of an import and of a run, in turn: worker killed, write failed, quota gone,
 * database
 * closed, device lost, network cut. After each the database is opened again: nothing half is taken for
 * whole, and the
 * final adapter, or the stored model, has the bytes of the undisturbed one. FAULTS=all takes every point,
 * without it every few.
 */
import 'fake-indexeddb/auto';
import { describe, expect, it, vi } from 'vitest';
import { importModel } from '../../src/import/importModel.ts';
import { type Database } from '../../src/storage/database.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import { fromHub, openHubModel } from '../../src/storage/hub/hub.ts';
import { listModels } from '../../src/storage/models.ts';
import { openModel } from '../../src/storage/storedWeights.ts';
import { HistoryHost } from '../../src/worker/history/historyHost.ts';
import { fakeHub } from '../helpers/fakeHub.ts';
import { bytesOf, session, type EngineFault } from '../helpers/arithmeticRun.ts';
import { Counter, DATABASE_FAULTS, faultyDatabase, type DatabaseFault } from '../helpers/faults.ts';
import { tinyModelFiles } from '../helpers/tinyModel.ts';

vi.stubGlobal('navigator', { userAgent: 'Node' });

const ALL = process.env.FAULTS === 'all';
/** Of `count` points every one, or some spread evenly, the first and the last among them. */
const points = (count: number, some: number): number[] =>
  ALL || count <= some
    ? Array.from({ length: count }, (_, i) => i + 1)
    : Array.from({ length: some }, (_, i) => 1 + Math.round((i * (count - 1)) / (some - 1)));
let databases = 0;
let seen = 0;

const { id: MODEL, manifest: MANIFEST } = await modelIn(await openDatabase('faults model'));

async function modelIn(database: Database) {
  const manifest = await importModel({
    files: tinyModelFiles(),
    name: 'tiny',
    quantization: 'nf4',
    database,
    checkRoom: async () => undefined,
  });
  return { id: manifest.id, manifest };
}

/** A database with the model's manifest: no weights are read. */
async function runDatabase(): Promise<{ name: string; database: Database }> {
  const name = `faults ${databases++}`;
  const database = await openDatabase(name);
  await database.put('models', MANIFEST);
  return { name, database };
}

/** Opens the database again, and takes the run to its end, as a person would. @returns the adapter's bytes */
async function afterwards(name: string): Promise<string> {
  const database = await openDatabase(name);
  const history = new HistoryHost(Promise.resolve(database));
  const runs = await history.runs();
  expect(runs.length).toBeLessThanOrEqual(1);
  const [run] = runs;
  // Nothing half is taken for whole.
  if (run?.state === 'finished') {
    expect(run.resumableStep).toBeNull();
    await history.details(run.id);
    expect(await database.getAllKeys('checkpoints')).toEqual([]);
    return bytesOf({ adapter: await history.adapterFolder(run.id) });
  }
  const resume = run && run.resumableStep !== null ? run.id : null;
  const outcome = (await session(MODEL, database, new Counter(), 'none', resume))!;
  expect(outcome.notKept).toBeNull();
  const kept = await history.adapterFolder(outcome.runId);
  expect(bytesOf({ adapter: kept })).toBe(bytesOf(outcome));
  return bytesOf(outcome);
}

/** A run whose thread died at a call of its engine. @returns its id */
async function cutRun(database: Database, at: number): Promise<string> {
  expect(await session(MODEL, database, new Counter(at), 'killed')).toBeNull();
  const [run] = await new HistoryHost(Promise.resolve(database)).runs();
  expect(run.resumableStep).toBeGreaterThan(0);
  return run.id;
}

/**
 * One fault; whatever it leads to, the adapter is the undisturbed run's.
 * @param cutAt where not 0, the run was cut at that call of its engine and the fault meets its resumption
 */
async function disturbed(
  expected: string,
  counter: Counter,
  fault: { database: DatabaseFault } | { engine: EngineFault },
  cutAt = 0,
): Promise<void> {
  seen++;
  const { name, database } = await runDatabase();
  const resume = cutAt === 0 ? null : await cutRun(database, cutAt);
  const used = 'database' in fault ? faultyDatabase(database, fault.database, counter) : database;
  const outcome = await session(
    MODEL,
    used,
    counter,
    'engine' in fault ? fault.engine : 'none',
    resume,
  ).catch((error: unknown) => error as Error);
  // A run that went to its end in spite of it has the right bytes already; an error has words.
  if (outcome && !(outcome instanceof Error)) expect(bytesOf(outcome)).toBe(expected);
  if (outcome instanceof Error) expect(outcome.message).toMatch(/\w+ .*\./);
  database.close();
  expect(await afterwards(name)).toBe(expected);
}

describe('a run', { timeout: 600_000 }, () => {
  it('ends with the same bytes after a fault at any operation of the database', async () => {
    for (const fault of DATABASE_FAULTS) {
      const counting = new Counter();
      const { name, database } = await runDatabase();
      const whole = (await session(MODEL, faultyDatabase(database, fault, counting), counting))!;
      expect(await afterwards(name)).toBe(bytesOf(whole));
      expect(counting.count).toBeGreaterThan(15);
      // What is compared is what all steps made, not where they began.
      expect(whole.adapterStep).toBe(6);
      for (const at of points(counting.count, 12))
        await disturbed(bytesOf(whole), new Counter(at), { database: fault }).catch((error: unknown) => {
          throw new Error(`${fault} at operation ${at} of ${counting.count}`, { cause: error });
        });
    }
  });

  it('ends with the same bytes after its worker or its device died at any call of the engine', async () => {
    const { database } = await runDatabase();
    // Nothing fails at operation 0.
    const counting = new Counter();
    const whole = (await session(MODEL, database, counting, 'device lost'))!;
    expect(counting.count).toBeGreaterThan(15);
    for (const engine of ['killed', 'device lost'] as const)
      for (const at of points(counting.count, 12))
        await disturbed(bytesOf(whole), new Counter(at), { engine }).catch((error: unknown) => {
          throw new Error(`${engine} at call ${at} of ${counting.count}`, { cause: error });
        });
  });
});

describe('a run whose evaluation worker dies', { timeout: 600_000 }, () => {
  it('ends with the same bytes and figures, at whichever await of an evaluation', async () => {
    const { database } = await runDatabase();
    const counting = new Counter();
    const whole = (await session(MODEL, database, new Counter(), 'none', null, { evaluation: counting }))!;
    const losses = ({ metricsJsonl }: typeof whole) =>
      metricsJsonl
        .trim()
        .split('\n')
        .flatMap((line) => {
          const { step, eval_other_loss: loss } = JSON.parse(line) as Record<string, number>;
          return loss === undefined ? [] : [[step, loss]];
        });
    expect(losses(whole).map(([step]) => step)).toEqual([0, 2, 4, 6]);
    // Four evaluations, each with the beginning and the end of a question, of a size and of a score.
    expect(counting.count).toBe(24);
    for (const at of points(counting.count, 12)) {
      seen++;
      const { name, database: fresh } = await runDatabase();
      const counter = new Counter(at);
      const outcome = (await session(MODEL, fresh, new Counter(), 'none', null, { evaluation: counter }))!;
      expect(counter.count, `at ${at}`).toBe(at);
      expect(bytesOf(outcome), `at ${at}`).toBe(bytesOf(whole));
      expect(losses(outcome), `at ${at}`).toEqual(losses(whole));
      fresh.close();
      expect(await afterwards(name), `at ${at}`).toBe(bytesOf(whole));
    }
  });
});

describe('a run that is resumed', { timeout: 600_000 }, () => {
  it('ends with the same bytes after a further fault at any operation', async () => {
    const undisturbed = await runDatabase();
    const calls = new Counter();
    const whole = (await session(MODEL, undisturbed.database, calls, 'device lost'))!;
    const cutAt = Math.round(0.6 * calls.count);
    for (const fault of [...DATABASE_FAULTS, 'device lost' as const]) {
      const counting = new Counter();
      const { database } = await runDatabase();
      const runId = await cutRun(database, cutAt);
      const isEngine = fault === 'device lost';
      const used = isEngine ? database : faultyDatabase(database, fault, counting);
      await session(MODEL, used, counting, isEngine ? fault : 'none', runId);
      for (const at of points(counting.count, 6))
        await disturbed(
          bytesOf(whole),
          new Counter(at),
          isEngine ? { engine: fault } : { database: fault },
          cutAt,
        ).catch((error: unknown) => {
          throw new Error(`${fault} at operation ${at} of ${counting.count}`, { cause: error });
        });
    }
  });
});

async function weightsOf(database: Database, id: string): Promise<string> {
  const { weights } = await openModel(database, id);
  const all: string[] = [];
  for (const name of weights.tensors.keys())
    for await (const { part, bytes } of weights.stream(name))
      all.push(`${name} ${part} ${Buffer.from(bytes).toString('base64')}`);
  return all.join('\n');
}

describe('an import', { timeout: 600_000 }, () => {
  it('is whole after a fault at any operation of the database, and never looks so before', async () => {
    for (const fault of DATABASE_FAULTS) {
      const counting = new Counter();
      const fresh = await openDatabase(`faults ${databases++}`);
      await modelIn(faultyDatabase(fresh, fault, counting));
      const expected = await weightsOf(fresh, MODEL);
      for (const at of points(counting.count, 6)) {
        seen++;
        const where = `${fault} at operation ${at} of ${counting.count}`;
        const name = `faults ${databases++}`;
        const database = await openDatabase(name);
        const counter = new Counter(at);
        const done = await Promise.race([
          modelIn(faultyDatabase(database, fault, counter)).then(
            () => true,
            () => false,
          ),
          counter.dead.then(() => false),
        ]);
        database.close();
        const again = await openDatabase(name);
        for (const { complete } of await listModels(again))
          if (complete) expect(await weightsOf(again, MODEL), where).toBe(expected);
          else await expect(openModel(again, MODEL), where).rejects.toThrow(/did not finish/);
        if (done) expect((await listModels(again))[0].complete, where).toBe(true);
        await modelIn(again);
        expect(await weightsOf(again, MODEL), where).toBe(expected);
        expect((await again.getAllKeys('chunks')).filter(([, , at]) => at < 0)).toEqual([]);
      }
    }
  });

  it('from the Hub is whole after the network was cut at any request', async () => {
    const id = 'someone/tiny-model';
    const hub = await fakeHub(id, tinyModelFiles());
    const settings = { blockBytes: 8192, patience: { tries: 1, pauseMs: 1, silenceMs: 5000 } };
    const bring = async (database: Database) => {
      const { files, revision } = await openHubModel(id, { endpoint: hub.url }, settings);
      return fromHub(id, () =>
        importModel({
          files,
          name: id,
          revision,
          quantization: 'nf4',
          database,
          checkRoom: async () => undefined,
        }),
      );
    };
    const fresh = await openDatabase(`faults ${databases++}`);
    const manifest = await bring(fresh);
    const requests = hub.requests.length;
    const expected = await weightsOf(fresh, manifest.id);
    for (const at of points(requests, 8)) {
      seen++;
      const database = await openDatabase(`faults ${databases++}`);
      let count = 0;
      hub.fault = ({ socket }) => {
        if (++count !== at) return false;
        socket.destroy();
        return true;
      };
      const where = `request ${at} of ${requests}`;
      // Node's own fetch asks again where a connection that was kept open is cut.
      const outcome = await bring(database).catch((error: unknown) => error as Error);
      if (outcome instanceof Error) expect(outcome.name, where).toBe('UserError');
      for (const { complete } of await listModels(database)) {
        expect(complete, where).toBe(!(outcome instanceof Error));
        if (complete) expect(await weightsOf(database, manifest.id), where).toBe(expected);
      }
      hub.fault = () => false;
      await bring(database);
      expect(await weightsOf(database, manifest.id)).toBe(expected);
    }
    await hub.close();
    console.log(`${seen} faults`);
  });
});
