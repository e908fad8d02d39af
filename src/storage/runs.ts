/**
 * Runs and their checkpoints. A checkpoint is written under a new key before older ones of its run are
 * removed, so that there is always a complete one. The end of a run is one transaction: its adapter replaces
 * its checkpoints, or nothing changes.
 */
import { storing, type Database, type RunPart, type RunRecord, type StoredEvaluation } from './database.ts';
import { handledElsewhere } from '../lib/promises.ts';

const RUN_IS_SAFE = 'the run itself goes on';

export async function putRun(database: Database, run: RunRecord): Promise<void> {
  await storing(() => database.put('runs', run), RUN_IS_SAFE);
}

/**
 * Changes some fields; other threads' changes of other fields are kept.
 * @returns the record, undefined where the run was deleted
 */
export function updateRun(
  database: Database,
  id: string,
  change: Partial<RunRecord>,
): Promise<RunRecord | undefined> {
  return storing(async () => {
    const transaction = database.transaction('runs', 'readwrite');
    const run = await transaction.store.get(id);
    const changed = run && { ...run, ...change };
    if (changed) await transaction.store.put(changed);
    await transaction.done;
    return changed;
  }, RUN_IS_SAFE);
}

export function findRun(database: Database, id: string): Promise<RunRecord | undefined> {
  return database.get('runs', id);
}

/** The oldest first. */
export function listRuns(database: Database): Promise<RunRecord[]> {
  return database.getAll('runs');
}

export function readPart(database: Database, runId: string, part: RunPart): Promise<unknown> {
  return database.get('parts', [runId, part]);
}

export async function putPart(
  database: Database,
  runId: string,
  part: RunPart,
  value: unknown,
): Promise<void> {
  await storing(() => database.put('parts', value, [runId, part]), RUN_IS_SAFE);
}

export async function putEvaluation(database: Database, evaluation: StoredEvaluation): Promise<void> {
  await storing(() => database.put('evaluations', evaluation), RUN_IS_SAFE);
}

/** By name, then step. */
export function listEvaluations(database: Database, runId: string): Promise<StoredEvaluation[]> {
  return database.getAll('evaluations', withPrefix(runId));
}

/**
 * @param parts what is kept from now on
 * @param keepCheckpoint whether the run can go on from its last checkpoint
 */
export function endRun(
  database: Database,
  id: string,
  change: Partial<RunRecord>,
  parts: Partial<Record<RunPart, unknown>>,
  keepCheckpoint: boolean,
): Promise<void> {
  return storing(async () => {
    const transaction = database.transaction(['runs', 'parts', 'checkpoints'], 'readwrite');
    const done = transaction.done;
    handledElsewhere(done);
    const [runs, kept, checkpoints] = [
      transaction.objectStore('runs'),
      transaction.objectStore('parts'),
      transaction.objectStore('checkpoints'),
    ];
    try {
      const run = await runs.get(id);
      // A run that was deleted while it was running stays deleted.
      if (!run) return;
      if (!keepCheckpoint)
        for (const key of await checkpoints.index('runId').getAllKeys(id)) await checkpoints.delete(key);
      for (const [part, value] of Object.entries(parts)) await kept.put(value, [id, part as RunPart]);
      await runs.put({ ...run, ...change });
    } catch (error) {
      // Undo all of it, unless the database did so already.
      if (transaction.error === null) transaction.abort();
      throw transaction.error ?? error;
    }
    await done;
  }, 'the adapter can still be downloaded here');
}

/** Removes a run, its parts, evaluations and checkpoints. */
export async function deleteRun(database: Database, id: string): Promise<void> {
  const transaction = database.transaction(['runs', 'parts', 'evaluations', 'checkpoints'], 'readwrite');
  const checkpoints = transaction.objectStore('checkpoints');
  for (const key of await checkpoints.index('runId').getAllKeys(id)) await checkpoints.delete(key);
  await transaction.objectStore('parts').delete(withPrefix(id));
  await transaction.objectStore('evaluations').delete(withPrefix(id));
  await transaction.objectStore('runs').delete(id);
  await transaction.done;
}

/** @param step grows with each checkpoint of a run */
export async function putCheckpoint(
  database: Database,
  runId: string,
  step: number,
  data: unknown,
): Promise<void> {
  const id = `${runId}/${String(step).padStart(9, '0')}`;
  await storing(
    () => database.put('checkpoints', { id, runId, data }),
    'training goes on and the last checkpoint that fitted is kept',
  );
  for (const key of await database.getAllKeysFromIndex('checkpoints', 'runId', runId))
    if (key !== id) await database.delete('checkpoints', key);
}

/** The newest checkpoint of a run. */
export async function latestCheckpoint(database: Database, runId: string): Promise<unknown> {
  const key = (await checkpointKeys(database, runId)).at(-1);
  return key === undefined ? undefined : (await database.get('checkpoints', key))?.data;
}

/** Step of the newest checkpoint, without reading it; null where there is none. */
export async function latestCheckpointStep(database: Database, runId: string): Promise<number | null> {
  const key = (await checkpointKeys(database, runId)).at(-1);
  return key === undefined ? null : Number(key.split('/').at(-1));
}

async function checkpointKeys(database: Database, runId: string): Promise<string[]> {
  return (await database.getAllKeysFromIndex('checkpoints', 'runId', runId)).sort();
}

function withPrefix(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id], [id, []]);
}
