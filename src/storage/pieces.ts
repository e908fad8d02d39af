/**
 * The arrays of large checkpoints and adapters of runs, a transaction a piece. They belong to the record that
 * names their set, which is written after them.
 */
import { PIECE_BYTES, piecesOf, withArrays, withoutArrays } from './arrayPieces.ts';
import { report } from '../lib/errorLog.ts';
import type { Database, InPieces } from './database.ts';

/**
 * Writes the arrays of a value in pieces, where they are more than one piece.
 * @param owner the run's id, a slash and what the value is in the run
 * @param pieceBytes bytes of a piece
 * @returns what is to be stored of the value itself, and undefined where that is all of it
 */
export async function putPieces(
  database: Database,
  runId: string,
  owner: string,
  value: unknown,
  pieceBytes = PIECE_BYTES,
): Promise<{ data: unknown; pieces?: InPieces }> {
  const apart = withoutArrays(value);
  if (apart.bytes <= pieceBytes) return { data: value };
  const written = await pieceKeys(database, runId);
  const set = written.reduce((largest, [, one]) => Math.max(largest, one), 0) + 1;
  let count = 0;
  try {
    for (const piece of piecesOf(apart.arrays, pieceBytes))
      await database.put('pieces', piece, [owner, set, count++]);
  } catch (error) {
    await dropPieces(database, owner, set);
    throw error;
  }
  return { data: apart.value, pieces: { set, count } };
}

/** Removes pieces that no record names, which take room that the run may need. Never throws. */
export async function dropPieces(database: Database, owner: string, set: number): Promise<void> {
  await database
    .delete('pieces', IDBKeyRange.bound([owner, set], [owner, set, []]))
    .catch((error: unknown) => report(error, 'removing pieces of what could not be stored', 'warning'));
}

/** The value that putPieces took apart; one with a piece missing has another checksum. */
export function getPieces(
  database: Database,
  owner: string,
  data: unknown,
  { set, count }: InPieces,
): Promise<unknown> {
  return withArrays(data, storedPieces(database, owner, set, count));
}

async function* storedPieces(database: Database, owner: string, set: number, count: number) {
  for (let index = 0; index < count; index++) {
    const piece = await database.get('pieces', [owner, set, index]);
    if (piece) yield piece;
  }
}

export function pieceKeys(database: Database, runId: string) {
  return database.getAllKeys('pieces', piecesOfRun(runId));
}

/** Keys of all pieces of a run, whose owners begin with its id. */
export function piecesOfRun(runId: string): IDBKeyRange {
  return IDBKeyRange.bound([`${runId}/`], [`${runId}/\uffff`]);
}
