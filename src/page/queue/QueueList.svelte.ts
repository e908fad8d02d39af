/**
 * The runs of the queue in their order: put in, moved, taken out, and kept over a reload. All tabs of a
 * browser share one queue: each change is made to what is kept, not to what a tab last saw of it.
 */
import { largest } from '../../lib/extremes.ts';
import { queueWorks, whenQueueIsFree } from '../../worker/runLock.ts';
import { reported } from '../errors/reported.ts';
import { keepQueue, keptQueue, whenQueueChanges, type QueuedRun } from './queuedRuns.ts';

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
  runs = $state.raw<QueuedRun[]>([]);
  /** Whether the queue works in another tab of this browser. */
  elsewhere = $state(false);
  /** Whether a reload would lose it: the browser does not keep so much, or nothing. */
  lost = $state(false);
  /** Whether this tab works through it. */
  private working = false;
  /** The largest id that was given. Ids are never used twice: what is known of a run goes by them. */
  private lastId = 0;

  constructor() {
    this.runs = this.kept();
    whenQueueChanges(() => void this.sync());
    void this.sync();
  }

  /** Takes over what another tab has made of it. */
  async sync(): Promise<void> {
    try {
      this.elsewhere = !this.working && (await queueWorks());
      this.runs = this.kept();
      if (this.elsewhere) void whenQueueIsFree().then(() => this.sync());
    } catch (error) {
      reported(error, 'reading the queue of another tab');
    }
  }

  /** This tab begins or ends to work through it: what was running before was cut off. */
  work(working: boolean): void {
    this.working = working;
    this.elsewhere = false;
    this.edit(cutOff);
  }

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
    this.edit((before) => {
      this.lastId = largest(
        before.map(({ id, sweep }) => Math.max(Number(id), Number(sweep))),
        this.lastId,
      );
      const sweep = isSweep ? `${++this.lastId}` : null;
      return [...before, ...runs.map((run) => ({ ...run, id: `${++this.lastId}`, sweep, ...NOT_RUN }))];
    });
  }

  /** Takes out a run that does not train. What it left stays in the history. */
  remove(id: string): void {
    this.edit((runs) => runs.filter((run) => run.id !== id || run.state === 'running'));
  }

  /** Takes out what has ended. */
  clear(): void {
    this.edit((runs) => runs.filter(({ state }) => state !== 'done' && state !== 'failed'));
  }

  /** @param by -1: earlier, 1: later; among the runs that wait */
  move(id: string, by: -1 | 1): void {
    this.edit((runs) => {
      const at = placeOf(runs, id, by);
      if (at === null) return runs;
      const moved = [...runs];
      [moved[at], moved[at + by]] = [moved[at + by], moved[at]];
      return moved;
    });
  }

  canMove(id: string, by: -1 | 1): boolean {
    return placeOf(this.runs, id, by) !== null;
  }

  /** A run that ended without its result waits again, where it stands. */
  retry(id: string): void {
    this.change(id, NOT_RUN);
  }

  change(id: string, change: Partial<QueuedRun>): void {
    this.edit((runs) => runs.map((run) => (run.id === id ? { ...run, ...change } : run)));
  }

  private edit(change: (runs: QueuedRun[]) => QueuedRun[]): void {
    this.runs = change(this.kept());
    this.lost = !keepQueue(this.runs);
  }

  /** A run that was training when its page was closed was cut off. */
  private kept(): QueuedRun[] {
    const runs = keptQueue();
    if (this.working || this.elsewhere) return runs;
    return cutOff(runs);
  }
}

function cutOff(runs: readonly QueuedRun[]): QueuedRun[] {
  return runs.map((run) => (run.state === 'running' ? { ...run, state: 'interrupted' } : run));
}

/** Where a run stands that can be moved; null where it cannot. */
function placeOf(runs: readonly QueuedRun[], id: string, by: -1 | 1): number | null {
  const at = runs.findIndex((run) => run.id === id);
  return runs[at]?.state === 'waiting' && runs[at + by]?.state === 'waiting' ? at : null;
}
