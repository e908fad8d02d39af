/** The curves of queued runs: of the one under way as it goes, of others as the history keeps them. */
import { SvelteMap } from 'svelte/reactivity';
import type { MetricsLine } from '../../training/metrics.ts';
import { reported } from '../errors/reported.ts';
import type { RunController } from '../run/RunController.svelte.ts';
import type { QueuedRun } from './queuedRuns.ts';

export class QueueCurves {
  /** Lines of metrics.jsonl by the id in the queue. */
  private readonly lines = new SvelteMap<string, readonly MetricsLine[]>();
  private asked: string[] = [];

  constructor(private readonly runs: Pick<RunController, 'run' | 'history'>) {}

  of({ id, runId, state }: QueuedRun): readonly MetricsLine[] {
    const { run } = this.runs;
    if (state === 'waiting') return [];
    // Another tab's run is not the one of this page.
    return state === 'running' && run?.runId === runId
      ? [...run.lines, ...run.evaluationLines]
      : (this.lines.get(id) ?? []);
  }

  set(id: string, lines: readonly MetricsLine[]): void {
    this.asked.push(id);
    this.lines.set(id, lines);
  }

  /** Reads the curves of runs of an earlier visit, each once. */
  async read(queued: readonly QueuedRun[]): Promise<void> {
    for (const { id, runId, state } of queued) {
      if (runId === null || state === 'running' || this.asked.includes(id)) continue;
      this.asked.push(id);
      try {
        this.set(id, (await this.runs.history.details(runId)).lines);
      } catch (error) {
        // Deleted from the history: its figures are gone, the others are shown.
        reported(error, 'reading the curves of a queued run');
      }
    }
  }
}
