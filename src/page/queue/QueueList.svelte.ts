/** The runs of the queue in their order: put in, moved, taken out, and kept over a reload. */
import { largest } from '../../lib/extremes.ts';
import { keepQueue, keptQueue, type QueuedRun } from './queuedRuns.ts';

/** Of a run that is put in; the list adds how it stands. */
export type NewRun = Omit<
  QueuedRun,
  'id' | 'state' | 'reason' | 'message' | 'runId' | 'steps' | 'seconds' | 'sweep'
>;

const NOT_RUN = {
  state: 'waiting',
  reason: null,
  message: null,
  runId: null,
  steps: 0,
  seconds: null,
} as const;

export class QueueList {
  /** In the order in which they are run. */
  runs = $state.raw<QueuedRun[]>(keptQueue());
  /** Ids are never used twice: what is known of a run goes by them. */
  private lastId = largest(
    this.runs.map(({ id, sweep }) => Math.max(Number(id), Number(sweep))),
    0,
  );

  /** Runs that wait or were cut off by a reload. */
  get pending(): QueuedRun[] {
    return this.runs.filter(({ state }) => state === 'waiting' || state === 'interrupted');
  }

  get current(): QueuedRun | null {
    return this.runs.find(({ state }) => state === 'running') ?? null;
  }

  /** Ids of the sweeps, the oldest first. */
  get sweeps(): string[] {
    const all = this.runs.flatMap(({ sweep }) => sweep ?? []);
    return all.filter((sweep, i) => all.indexOf(sweep) === i);
  }

  /** Puts runs at the end. @param isSweep whether they are compared with one another */
  put(runs: readonly NewRun[], isSweep: boolean): void {
    const sweep = isSweep ? `${++this.lastId}` : null;
    const queued = runs.map((run) => ({ ...run, id: `${++this.lastId}`, sweep, ...NOT_RUN }));
    this.set([...this.runs, ...queued]);
  }

  /** Takes out a run that does not train. What it left stays in the history. */
  remove(id: string): void {
    this.set(this.runs.filter((run) => run.id !== id || run.state === 'running'));
  }

  /** Takes out what has ended. */
  clear(): void {
    this.set(this.runs.filter(({ state }) => state !== 'done' && state !== 'failed'));
  }

  /** @param by -1: earlier, 1: later; among the runs that wait */
  move(id: string, by: -1 | 1): void {
    if (!this.canMove(id, by)) return;
    const at = this.runs.findIndex((run) => run.id === id);
    const runs = [...this.runs];
    [runs[at], runs[at + by]] = [runs[at + by], runs[at]];
    this.set(runs);
  }

  canMove(id: string, by: -1 | 1): boolean {
    const at = this.runs.findIndex((run) => run.id === id);
    return this.runs[at]?.state === 'waiting' && this.runs[at + by]?.state === 'waiting';
  }

  /** A run that ended without its result waits again, where it stands. */
  retry(id: string): void {
    this.change(id, NOT_RUN);
  }

  change(id: string, change: Partial<QueuedRun>): void {
    this.set(this.runs.map((run) => (run.id === id ? { ...run, ...change } : run)));
  }

  private set(runs: QueuedRun[]): void {
    this.runs = runs;
    keepQueue(runs);
  }
}
