/**
 * Measures in the background which kernels suit a run; it begins once the page has been left alone for a
 * moment.
 */
import { report } from '../../lib/errorLog.ts';
import type { PlanRequest, RunPlan, TrainerApi } from '../../worker/trainer/trainerProtocol.ts';

const QUIET_MS = 1500;

export class KernelTuning {
  active = $state(false);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private generation = 0;

  constructor(private readonly source: Pick<TrainerApi, 'measureKernels'>) {}

  /** @param onPlan receives the plan with what was measured, if anything was */
  begin(request: PlanRequest, onPlan: (plan: RunPlan) => void): void {
    const mine = this.forget();
    this.timer = setTimeout(() => void this.measure(request, mine, onPlan), QUIET_MS);
  }

  /** The plan changed: the result of a measurement for the one before is dropped. */
  forget(): number {
    clearTimeout(this.timer);
    this.active = false;
    return ++this.generation;
  }

  private async measure(request: PlanRequest, mine: number, onPlan: (plan: RunPlan) => void): Promise<void> {
    this.active = true;
    const plan = await this.source.measureKernels(request).catch((error: unknown) => {
      // The run starts without this measurement; what is wrong with the GPU is shown there.
      report(error, 'measuring kernels', 'warning');
      return null;
    });
    if (mine !== this.generation) return;
    this.active = false;
    if (plan) onPlan(plan);
  }
}
