/** What a queue is made of, and how this browser keeps it. */
import { t } from '../language/messages.svelte.ts';
import { parseRecipe, type Recipe } from '../../training/recipe.ts';
import type { QueuedState } from '../../training/sweep/sweepTable.ts';
import { keepSetting, keptSetting } from '../keptSettings.ts';
import { reported } from '../errors/reported.ts';
import type { DataFiles } from '../data/DataFiles.svelte.ts';

export interface QueuedRun {
  id: string;
  title: string;
  recipe: Recipe;
  modelId: string;
  modelName: string;
  /** The training files that it was queued with. */
  files: TrainedFile[];
  /** Runs of one sweep have the same; null for a run by itself. */
  sweep: string | null;
  /** What of a sweep's recipe is its own, by key. */
  settings: Record<string, number>;
  state: QueuedState;
  /** As RunOutcome has it. */
  reason: string | null;
  /** Why it failed. */
  message: string | null;
  /** Its record in the history. */
  runId: string | null;
  steps: number;
  seconds: number | null;
}

export interface TrainedFile {
  name: string;
  /** Hex. */
  sha256: string;
}

const KEY = 'finetab.queue';

/** The training files that are read now. */
export function trainedFiles({ train }: DataFiles): TrainedFile[] {
  return (train?.report?.parts ?? []).map(({ file: name, sha256 }) => ({ name, sha256 }));
}

/** Why a run that was queued with some files is not that run with others; null where they are the same. */
export function filesFault(queued: readonly TrainedFile[], now: readonly TrainedFile[]): string | null {
  const names = (files: readonly TrainedFile[]) => files.map(({ name }) => name).join(' + ');
  if (now.length === 0) return t.queue.dropNamed(names(queued));
  if (names(queued) !== names(now)) return t.queue.otherFiles(names(queued), names(now));
  const changed = queued.find(({ sha256 }, i) => sha256 !== now[i].sha256);
  return changed ? t.queue.fileChanged(changed.name) : null;
}

/** @returns whether the browser keeps it over a reload */
export function keepQueue(runs: readonly QueuedRun[]): boolean {
  return keepSetting(KEY, runs.length === 0 ? null : JSON.stringify(runs));
}

/** The queue as this browser keeps it, perhaps written by another tab. */
export function keptQueue(): QueuedRun[] {
  const kept = keptSetting(KEY);
  if (kept === null) return [];
  try {
    return (JSON.parse(kept) as unknown[]).map(queuedRunOf);
  } catch (error) {
    // Another version of the page wrote it, with other keys.
    reported(error, 'reading the kept queue');
    keepSetting(KEY, null);
    return [];
  }
}

/** Calls back when another tab of this browser has changed the queue. */
export function whenQueueChanges(listener: () => void): void {
  globalThis.addEventListener?.('storage', (event) => {
    const { key } = event as StorageEvent;
    if (key === KEY || key === null) listener();
  });
}

const STATES: readonly QueuedState[] = ['waiting', 'running', 'done', 'failed', 'interrupted'];

/** @throws where another version of the page wrote it otherwise */
function queuedRunOf(value: unknown): QueuedRun {
  const run = value as QueuedRun;
  const texts = [run.id, run.title, run.modelId, run.modelName, ...run.files.map(({ name }) => name)];
  if (texts.some((text) => typeof text !== 'string') || !STATES.includes(run.state))
    throw new Error('a queued run is not of the form that this version writes');
  return { ...run, settings: { ...run.settings }, recipe: parseRecipe(run.recipe) };
}
