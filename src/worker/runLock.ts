/**
 * A run that is training holds a lock under its id, so that other tabs neither resume nor delete it. Closing
 * the tab releases it.
 */
import { UserError } from '../lib/errors.ts';

const PREFIX = 'finetab run ';
const MODEL_PREFIX = 'finetab model ';

/** @throws UserError where another tab has the run */
export async function holdingRun<T>(runId: string, work: () => Promise<T>): Promise<T> {
  if (!globalThis.navigator?.locks) return work();
  return navigator.locks.request(PREFIX + runId, { ifAvailable: true }, (lock) => {
    if (!lock) throw new UserError('This run is training in another tab. Close that tab first.');
    return work();
  });
}

/**
 * Runs work on a stored model's own data: its import, or its removal.
 * @throws UserError where another tab is at it
 */
export async function holdingModel<T>(modelId: string, work: () => Promise<T>): Promise<T> {
  if (!globalThis.navigator?.locks) return work();
  return navigator.locks.request(MODEL_PREFIX + modelId, { ifAvailable: true }, (lock) => {
    if (!lock)
      throw new UserError(
        'This model is being imported in another tab. Wait until it is done, or cancel it there.',
      );
    return work();
  });
}

/** Ids of the runs that are training now, in any tab. */
export async function liveRuns(): Promise<Set<string>> {
  const held = (await globalThis.navigator?.locks?.query())?.held ?? [];
  return new Set(held.flatMap(({ name }) => (name?.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : [])));
}
