/** A run whose head was taken in 8 bits as memory was short: what comes after it is computed by that head. */
import 'fake-indexeddb/auto';
import { describe, expect, it, vi } from 'vitest';
import type { EngineHost } from '../../src/engine/engineHost.ts';
import { importModel } from '../../src/import/importModel.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import { findRun, listRuns, updateRun } from '../../src/storage/runs.ts';
import { Answering } from '../../src/worker/trainer/answering.ts';
import { session } from '../helpers/arithmeticRun.ts';
import { ArithmeticEngine, Counter } from '../helpers/faults.ts';
import { tinyModelFiles } from '../helpers/tinyModel.ts';

vi.stubGlobal('navigator', { userAgent: 'Node' });

let databases = 0;

async function withModel() {
  const database = await openDatabase(`kept head ${databases++}`);
  const files = tinyModelFiles();
  const checkRoom = async () => undefined;
  const { id } = await importModel({ files, name: 'tiny', quantization: 'nf4', database, checkRoom });
  return { database, id };
}

/** An `auto` engine that chooses 8 bits, or does not, and otherwise takes what it is asked for. */
const choosing = (isInQ8_0: boolean, asked: unknown[]) => (headDtype: string | undefined) => {
  asked.push(headDtype);
  return headDtype === 'auto' ? isInQ8_0 : headDtype === 'q8_0';
};

describe.each([true, false])('a run whose engine chose a head in 8 bits: %s', (isInQ8_0) => {
  const kept = isInQ8_0 ? 'q8_0' : 'stored';

  it('answers after a reload by the same head', async () => {
    const { database, id } = await withModel();
    const asked: unknown[] = [];
    const choosesHead = choosing(isInQ8_0, asked);
    const { runId } = (await session(id, database, new Counter(), 'none', null, { choosesHead }))!;
    expect(asked).toEqual(['auto']);
    const answersBy = async () => {
      const made: unknown[] = [];
      const engines = {
        canRun: async () => true,
        create: async (options: { headDtype: unknown }) => {
          made.push(options.headDtype);
          return new ArithmeticEngine('none', new Counter());
        },
      } as unknown as EngineHost;
      await new Answering(Promise.resolve(database), engines).openResult(runId);
      return made;
    };
    expect(await answersBy()).toEqual([kept]);
    // A run of an earlier version says nothing: its recipe is auto.
    const { headInQ8_0, ...earlier } = (await findRun(database, runId))!;
    expect(headInQ8_0).toBe(isInQ8_0);
    await database.put('runs', earlier);
    expect(await answersBy()).toEqual(['stored']);
  });

  it('goes on by the same head, whatever would be chosen then', async () => {
    const { database, id } = await withModel();
    const counter = new Counter(12);
    const choosesHead = choosing(isInQ8_0, []);
    expect(await session(id, database, counter, 'killed', null, { choosesHead })).toBeNull();
    const [{ id: runId }] = await listRuns(database);
    await updateRun(database, runId, { state: 'stopped' });
    const asked: unknown[] = [];
    await session(id, database, new Counter(), 'none', runId, { choosesHead: choosing(!isInQ8_0, asked) });
    expect(asked).toEqual([kept]);
    expect((await findRun(database, runId))!.headInQ8_0).toBe(isInQ8_0);
  });
});
