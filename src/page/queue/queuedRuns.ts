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

export function keepQueue(runs: readonly QueuedRun[]): void {
  keepSetting(KEY, runs.length === 0 ? null : JSON.stringify(runs));
}

/** The queue of the last visit. A run that was training then was cut off. */
export function keptQueue(): QueuedRun[] {
  const kept = keptSetting(KEY);
  if (kept === null) return [];
  try {
    return (JSON.parse(kept) as QueuedRun[]).map((run) => ({
      ...run,
      recipe: parseRecipe(run.recipe),
      state: run.state === 'running' ? 'interrupted' : run.state,
    }));
  } catch (error) {
    // Another version of the page wrote it, with other keys.
    reported(error, 'reading the kept queue');
    keepSetting(KEY, null);
    return [];
  }
}
