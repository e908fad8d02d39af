/** The curves of queued runs: of the one under way as it goes, of others as the history keeps them. */
import type { MetricsLine } from '../../training/metrics.ts';
import { reported } from '../errors/reported.ts';
import type { RunController } from '../run/RunController.svelte.ts';
import type { QueuedRun } from './queuedRuns.ts';

export class QueueCurves {
  /** Lines of metrics.jsonl by the id in the queue. */
  private lines = $state.raw<ReadonlyMap<string, readonly MetricsLine[]>>(new Map());
  private readonly asked = new Set<string>();

  constructor(private readonly runs: Pick<RunController, 'run' | 'history'>) {}

  of({ id, state }: QueuedRun): readonly MetricsLine[] {
    const { run } = this.runs;
    return state === 'running' && run ? [...run.lines, ...run.evaluationLines] : (this.lines.get(id) ?? []);
  }

  set(id: string, lines: readonly MetricsLine[]): void {
    this.asked.add(id);
    this.lines = new Map([...this.lines, [id, lines]]);
  }

  /** Reads the curves of runs of an earlier visit, each once. */
  async read(queued: readonly QueuedRun[]): Promise<void> {
    for (const { id, runId, state } of queued) {
      if (runId === null || state === 'running' || this.asked.has(id)) continue;
      this.asked.add(id);
      try {
        this.set(id, (await this.runs.history.details(runId)).lines);
      } catch (error) {
        // Deleted from the history: its figures are gone, the others are shown.
        reported(error, 'reading the curves of a queued run');
      }
    }
  }
}
