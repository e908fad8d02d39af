/** Runs and their checkpoints. A checkpoint is written under a new key, then older ones of its run are removed: there is always a whole one. */
import { storing, type Database, type RunRecord } from './database.ts';

export async function putRun(database: Database, run: RunRecord): Promise<void> {
  await storing(() => database.put('runs', run));
}

export function listRuns(database: Database): Promise<RunRecord[]> {
  return database.getAll('runs');
}

export async function deleteRun(database: Database, id: string): Promise<void> {
  await removeCheckpoints(database, id, null);
  await database.delete('runs', id);
}

/** @param sequence grows with each checkpoint of a run */
export async function putCheckpoint(database: Database, runId: string, sequence: number, data: unknown): Promise<void> {
  const id = `${runId}/${String(sequence).padStart(9, '0')}`;
  await storing(() => database.put('checkpoints', { id, runId, data }));
  await removeCheckpoints(database, runId, id);
}

/** The newest checkpoint of a run. */
export async function latestCheckpoint(database: Database, runId: string): Promise<unknown> {
  const all = await database.getAllFromIndex('checkpoints', 'runId', runId);
  return all.sort((a, b) => (a.id < b.id ? -1 : 1)).at(-1)?.data;
}

async function removeCheckpoints(database: Database, runId: string, except: string | null): Promise<void> {
  for (const key of await database.getAllKeysFromIndex('checkpoints', 'runId', runId)) if (key !== except) await database.delete('checkpoints', key);
}
