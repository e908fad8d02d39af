/** Times an engine's training plan on the host and on the GPU, for benchmarks. */
import type { GpuContext } from '../../gpu/gpuContext.ts';
import type { Plan } from '../../plan/plan.ts';
import {
  measureEncode,
  profilePlan,
  type EncodeTime,
  type KernelTime,
  type PassSpan,
} from '../../plan/profile.ts';
import type { GpuReplay } from './planReplay.ts';

/** Measurements overwrite gradients and step scalars. */
export class EngineTiming {
  /**
   * @param trainPlan throws where the engine was created for answering only
   * @param exclusively runs one call of the engine at a time
   */
  constructor(
    private readonly context: GpuContext,
    private readonly replay: GpuReplay,
    private readonly trainPlan: () => Plan,
    private readonly exclusively: <T>(call: () => Promise<T>) => Promise<T>,
  ) {}

  /** Host time of one replay of the training plan. */
  encode(): Promise<EncodeTime> {
    return this.exclusively(async () =>
      measureEncode(this.context, await this.replay.executor(this.trainPlan())),
    );
  }

  /** GPU time of one replay of the training plan by kernel. @throws where the adapter has no timestamps */
  kernels(): Promise<KernelTime[]> {
    return this.exclusively(async () =>
      profilePlan(this.context, await this.replay.executor(this.trainPlan())),
    );
  }

  /**
   * @returns when each pass that `work` submits ran on the GPU
   * @throws where the adapter has no timestamps
   */
  passes(work: () => Promise<unknown>): Promise<PassSpan[]> {
    return this.replay.timePasses(work);
  }
}
