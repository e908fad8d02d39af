/**
 * Runs and their checkpoints. A checkpoint is written under a new key before older ones of its run are
 * removed, so that there is always a complete one. Large arrays are written in pieces first (pieces.ts), the
 * record that makes them count is last. The end of a run is one transaction: its adapter replaces
 * its checkpoints, or nothing changes.
 */
import { PIECE_BYTES } from './arrayPieces.ts';
import { storing, type Database, type RunPart, type RunRecord } from './database.ts';
import { contentHash } from '../lib/contentHash.ts';
import { UserError } from '../lib/errors.ts';
import { report } from '../lib/errorLog.ts';
import { handledElsewhere } from '../lib/promises.ts';
import { dropPieces, getPieces, pieceKeys, piecesOfRun, putPieces } from './pieces.ts';

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

/** @throws UserError where it is not what was stored */
export async function readPart(database: Database, runId: string, part: RunPart): Promise<unknown> {
  const [stored, run] = await Promise.all([
    database.get('parts', [runId, part]),
    database.get('runs', runId),
  ]);
  const pieces = part === 'adapter' ? run?.adapterPieces : undefined;
  const value = pieces ? await getPieces(database, adapterOwner(runId), stored, pieces) : stored;
  const hash = run?.partHashes?.[part];
  if (hash !== undefined && (await contentHash(value)) !== hash)
    throw new UserError(
      `The stored ${part} of this run is damaged, or gone: its checksum is another. Delete the run and train again.`,
    );
  return value;
}

export async function putPart(
  database: Database,
  runId: string,
  part: Exclude<RunPart, 'adapter'>,
  value: unknown,
): Promise<void> {
  const hash = await contentHash(value);
  await storing(async () => {
    const transaction = database.transaction(['runs', 'parts'], 'readwrite');
    const runs = transaction.objectStore('runs');
    const run = await runs.get(runId);
    if (run) await runs.put({ ...run, partHashes: { ...run.partHashes, [part]: hash } });
    await transaction.objectStore('parts').put(value, [runId, part]);
    await transaction.done;
  }, RUN_IS_SAFE);
}

/** Removes a part of every run but one. */
export async function removePartOfOthers(database: Database, runId: string, part: RunPart): Promise<void> {
  for (const key of await database.getAllKeys('parts'))
    if (key[1] === part && key[0] !== runId) await database.delete('parts', key);
}

/**
 * @param parts what is kept from now on
 * @param keepCheckpoint whether the run can go on from its last checkpoint
 */
export async function endRun(
  database: Database,
  id: string,
  change: Partial<RunRecord>,
  parts: Partial<Record<RunPart, unknown>>,
  keepCheckpoint: boolean,
  pieceBytes = PIECE_BYTES,
): Promise<void> {
  const partHashes: RunRecord['partHashes'] = {};
  for (const [part, value] of Object.entries(parts)) partHashes[part as RunPart] = await contentHash(value);
  const owner = adapterOwner(id);
  return storing(async () => {
    const adapter = await putPieces(database, id, owner, parts.adapter, pieceBytes);
    const transaction = database.transaction(['runs', 'parts', 'checkpoints', 'pieces'], 'readwrite');
    const done = transaction.done;
    handledElsewhere(done);
    const [runs, kept, checkpoints, pieces] = [
      transaction.objectStore('runs'),
      transaction.objectStore('parts'),
      transaction.objectStore('checkpoints'),
      transaction.objectStore('pieces'),
    ];
    try {
      const run = await runs.get(id);
      // A run that was deleted while it was running stays deleted.
      if (!run) {
        await pieces.delete(piecesOfRun(id));
        return;
      }
      if (!keepCheckpoint)
        for (const key of await checkpoints.index('runId').getAllKeys(id)) await checkpoints.delete(key);
      for (const key of await pieces.getAllKeys(piecesOfRun(id))) {
        const isAdapter = key[0] === owner;
        const isOld = isAdapter ? 'adapter' in parts && key[1] !== adapter.pieces?.set : !keepCheckpoint;
        if (isOld) await pieces.delete(key);
      }
      const stored = 'adapter' in parts ? { ...parts, adapter: adapter.data } : parts;
      for (const [part, value] of Object.entries(stored)) await kept.put(value, [id, part as RunPart]);
      await runs.put({
        ...run,
        ...change,
        partHashes: { ...run.partHashes, ...partHashes },
        adapterPieces: 'adapter' in parts ? adapter.pieces : run.adapterPieces,
      });
    } catch (error) {
      // Undo all of it, unless the database did so already.
      if (transaction.error === null) transaction.abort();
      if (adapter.pieces) await dropPieces(database, owner, adapter.pieces.set);
      throw transaction.error ?? error;
    }
    await done;
  }, 'the adapter can still be downloaded here');
}

/** Whose pieces those of a run's adapter are. */
function adapterOwner(runId: string): string {
  return `${runId}/adapter`;
}

/** Removes a run, its parts, evaluations and checkpoints. */
export async function deleteRun(database: Database, id: string): Promise<void> {
  const transaction = database.transaction(
    ['runs', 'parts', 'evaluations', 'checkpoints', 'pieces'],
    'readwrite',
  );
  const checkpoints = transaction.objectStore('checkpoints');
  for (const key of await checkpoints.index('runId').getAllKeys(id)) await checkpoints.delete(key);
  await transaction.objectStore('pieces').delete(piecesOfRun(id));
  await transaction.objectStore('parts').delete(withPrefix(id));
  await transaction.objectStore('evaluations').delete(withPrefix(id));
  await transaction.objectStore('runs').delete(id);
  await transaction.done;
}

/** Checkpoints of a run that are kept: the newest, and the one before in case that is damaged. */
const KEPT_CHECKPOINTS = 2;

/**
 * @param step grows with each checkpoint of a run
 * @param pieceBytes bytes of a piece; a checkpoint with no more in its arrays is one record
 * @param most how many of the run are kept, this one included
 */
export async function putCheckpoint(
  database: Database,
  runId: string,
  step: number,
  data: unknown,
  pieceBytes = PIECE_BYTES,
  most = KEPT_CHECKPOINTS,
): Promise<void> {
  const id = `${runId}/${String(step).padStart(9, '0')}`;
  const hash = await contentHash(data);
  const pieces = await storing(async () => {
    const stored = await putPieces(database, runId, id, data, pieceBytes);
    try {
      await database.put('checkpoints', { id, runId, hash, ...stored });
    } catch (error) {
      if (stored.pieces) await dropPieces(database, id, stored.pieces.set);
      throw error;
    }
    return stored.pieces;
  }, 'training goes on and the last checkpoint that fitted is kept');
  const keys = await checkpointKeys(database, runId);
  // A run that was resumed from an earlier step leaves none beyond it.
  const kept = keys.filter((key) => key <= id).slice(-Math.min(most, KEPT_CHECKPOINTS));
  for (const key of keys) if (!kept.includes(key)) await database.delete('checkpoints', key);
  for (const key of await pieceKeys(database, runId))
    if (
      key[0] !== adapterOwner(runId) &&
      (!kept.includes(key[0]) || (key[0] === id && key[1] !== pieces?.set))
    )
      await database.delete('pieces', key);
}

/**
 * The newest checkpoint of a run that is what was written; one that is damaged is passed over.
 * @returns undefined where there is none
 * @throws UserError where there are some and all are damaged
 */
export async function latestCheckpoint(database: Database, runId: string): Promise<unknown> {
  const keys = await checkpointKeys(database, runId);
  for (const key of keys.toReversed()) {
    const found = await database.get('checkpoints', key);
    if (found) {
      const data = found.pieces ? await getPieces(database, key, found.data, found.pieces) : found.data;
      if (found.hash === undefined || (await contentHash(data)) === found.hash) return data;
    }
    report(new Error(`checkpoint ${key}: its checksum is another`), 'reading a checkpoint', 'warning');
  }
  if (keys.length > 0)
    throw new UserError(
      'The checkpoints of this run are damaged: none is what was stored. Discard the run and train again.',
    );
  return undefined;
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
