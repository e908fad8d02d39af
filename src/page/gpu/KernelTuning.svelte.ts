/**
 * Measuring a run's kernels in the background: it begins when the page has been left alone for a moment, and
 * any other work on the GPU ends it.
 */
import { report } from '../../lib/errorLog.ts';
import { withListener } from '../../worker/client.ts';
import type { PlanRequest, RunPlan, TrainerApi } from '../../worker/trainer/trainerProtocol.ts';

const QUIET_MS = 1500;

export class KernelTuning {
  progress = $state<{ done: number; total: number } | null>(null);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private generation = 0;

  constructor(private readonly source: Pick<TrainerApi, 'measureKernels'>) {}

  /** @param onPlan is given the plan with what was measured, if anything was */
  begin(request: PlanRequest, onPlan: (plan: RunPlan) => void): void {
    const mine = this.forget();
    this.timer = setTimeout(() => void this.measure(request, mine, onPlan), QUIET_MS);
  }

  /** The plan changed: what was being measured for it does not come back. */
  forget(): number {
    clearTimeout(this.timer);
    this.progress = null;
    return ++this.generation;
  }

  private async measure(request: PlanRequest, mine: number, onPlan: (plan: RunPlan) => void): Promise<void> {
    const onProgress = (done: number, total: number) => {
      if (mine === this.generation) this.progress = { done, total };
    };
    const plan = await withListener(onProgress, (send) => this.source.measureKernels(request, send)).catch(
      (error: unknown) => {
        // The run starts without these measurements; what is wrong with the GPU is shown there.
        report(error, 'measuring kernels', 'warning');
        return null;
      },
    );
    if (mine !== this.generation) return;
    this.progress = null;
    if (plan) onPlan(plan);
  }
}
