/** Which kept runs can be resumed: the one place that decides it. */
import type { Database, RunRecord } from '../../storage/database.ts';
import { latestCheckpointStep } from '../../storage/runs.ts';

/**
 * The step from which a run can go on. A run that finished or diverged has nothing left to do, and one that
 * is training now, in this tab or another, must not be started a second time.
 * @param live ids of the runs that are training now
 * @returns null where the run cannot be resumed or has no checkpoint
 */
export async function resumableStep(
  database: Database,
  { id, state }: RunRecord,
  live: ReadonlySet<string>,
): Promise<number | null> {
  if (state === 'finished' || state === 'diverged' || live.has(id)) return null;
  return latestCheckpointStep(database, id);
}
