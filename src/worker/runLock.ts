/**
 * A run that is training holds a lock under its id, so that other tabs neither resume nor delete it. Closing
 * the tab releases it.
 */
import { UserError } from '../lib/errors.ts';

const PREFIX = 'finetab run ';
const QUEUE = 'finetab queue';
const MODEL_PREFIX = 'finetab model ';

/**
 * The browser's locks; null where it has none, or none for this page: where site data is blocked it refuses
 * them, and no other tab shares what is stored.
 */
async function allowedLocks(): Promise<LockManager | null> {
  const { locks } = globalThis.navigator ?? {};
  if (!locks) return null;
  try {
    await locks.query();
    return locks;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'SecurityError') return null;
    throw error;
  }
}

/** @throws UserError where another tab has the run */
export async function holdingRun<T>(runId: string, work: () => Promise<T>): Promise<T> {
  const locks = await allowedLocks();
  if (!locks) return work();
  return locks.request(PREFIX + runId, { ifAvailable: true }, (lock) => {
    if (!lock) throw new UserError('This run is training in another tab. Close that tab first.');
    return work();
  });
}

/**
 * Runs work on a stored model's own data: its import, or its removal.
 * @throws UserError where another tab is at it
 */
export async function holdingModel<T>(modelId: string, work: () => Promise<T>): Promise<T> {
  const locks = await allowedLocks();
  if (!locks) return work();
  return locks.request(MODEL_PREFIX + modelId, { ifAvailable: true }, (lock) => {
    if (!lock)
      throw new UserError(
        'This model is being imported in another tab. Wait until it is done, or cancel it there.',
      );
    return work();
  });
}

/** Works through the queue of runs. @throws UserError where another tab of this browser is at it */
export async function holdingQueue<T>(work: () => Promise<T>): Promise<T> {
  const locks = await allowedLocks();
  if (!locks) return work();
  return locks.request(QUEUE, { ifAvailable: true }, (lock) => {
    if (!lock) throw new UserError('The queue works in another tab of this browser, and goes on there.');
    return work();
  });
}

/** Whether a tab of this browser works through the queue. */
export async function queueWorks(): Promise<boolean> {
  const held = (await (await allowedLocks())?.query())?.held ?? [];
  return held.some(({ name }) => name === QUEUE);
}

/** Waits until no tab works through the queue: it has ended, or its tab was closed. */
export async function whenQueueIsFree(): Promise<void> {
  await (await allowedLocks())?.request(QUEUE, { mode: 'shared' }, () => undefined);
}

/** Ids of the runs that are training now, in any tab. */
export async function liveRuns(): Promise<Set<string>> {
  const held = (await (await allowedLocks())?.query())?.held ?? [];
  return new Set(held.flatMap(({ name }) => (name?.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : [])));
}
