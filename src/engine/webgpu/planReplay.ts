/**
 * Replays plans on the device. Executors are made once; a replay is cut into submissions short enough for a
 * desktop's GPU.
 */
import type { GpuContext } from '../../gpu/gpuContext.ts';
import { PlanExecutor } from '../../plan/planExecutor.ts';
import type { Plan } from '../../plan/plan.ts';
import { PassTimer, type PassSpan } from '../../plan/profile.ts';
import type { DeviceBuffers } from './deviceBuffers.ts';

/**
 * Milliseconds of GPU time in one submission: longer ones freeze the desktop, and some systems reset the GPU.
 */
const SUBMIT_MS = 100;
/** Dispatches of a replay's first submission; each further one has twice as many, up to the largest. */
const FIRST_PIECE = 32;
const LARGEST_PIECE = 256;

/** Copies to encode before the first dispatch of a replay, and after its last. */
export interface ReplayCopies {
  before?(encoder: GPUCommandEncoder): void;
  after?(encoder: GPUCommandEncoder): void;
}

export class GpuReplay {
  private readonly executors = new Map<Plan, Promise<PlanExecutor>>();
  private dispatchesPerSubmit = 64;
  private passTimer: PassTimer | null = null;
  private areNormsDue = true;

  constructor(
    private readonly context: GpuContext,
    private readonly deviceBuffers: DeviceBuffers,
    private readonly onPipeline: (done: number, total: number) => void,
    /** DoRA's row norms: replayed ahead of the first plan that follows a change of the adapter. */
    private readonly norms?: Plan,
  ) {}

  executor(plan: Plan): Promise<PlanExecutor> {
    let made = this.executors.get(plan);
    if (!made) {
      made = PlanExecutor.create(
        this.context,
        plan,
        this.deviceBuffers.arenaBuffers,
        this.deviceBuffers.for(plan),
        this.onPipeline,
      );
      this.executors.set(plan, made);
    }
    return made;
  }

  /** Drops the executors of these plans, or of all: their buffers were replaced. */
  forget(plans: readonly Plan[] = [...this.executors.keys()]): void {
    for (const plan of plans) this.executors.delete(plan);
  }

  /**
   * Encodes and submits one replay in pieces. The first ones are small, so that the GPU soon has work while
   * the rest is encoded, and none takes much longer than SUBMIT_MS.
   */
  async run(plan: Plan, { before, after }: ReplayCopies = {}): Promise<void> {
    if (plan.name !== 'optimizer') await this.updateNorms();
    const executor = await this.executor(plan);
    const { device } = this.context;
    for (
      let from = 0, piece = FIRST_PIECE;
      from < executor.length;
      piece = Math.min(2 * piece, LARGEST_PIECE)
    ) {
      const to = Math.min(from + Math.min(piece, this.dispatchesPerSubmit), executor.length);
      const encoder = device.createCommandEncoder();
      if (from === 0) before?.(encoder);
      const pass = encoder.beginComputePass(this.passTimer?.next());
      executor.encode(pass, from, to);
      pass.end();
      if (to === executor.length) after?.(encoder);
      device.queue.submit([encoder.finish()]);
      from = to;
    }
  }

  /** Notes that DoRA's norms no longer fit the adapter. */
  adapterChanged(): void {
    this.areNormsDue = true;
  }

  /** Brings DoRA's norms up to date, where there are any. */
  async updateNorms(): Promise<void> {
    if (!this.norms || !this.areNormsDue) return;
    this.areNormsDue = false;
    await this.run(this.norms);
  }

  /** Learns how long a dispatch takes, for cutting later replays. @param ms that `dispatches` took in all */
  took(ms: number, dispatches: number): void {
    this.dispatchesPerSubmit = Math.max(1, Math.round((SUBMIT_MS * dispatches) / ms));
  }

  /** @returns when each pass ran that `work` submits @throws where the adapter has no timestamps */
  async timePasses(work: () => Promise<unknown>): Promise<PassSpan[]> {
    const timer = (this.passTimer = new PassTimer(this.context));
    try {
      await work();
    } finally {
      this.passTimer = null;
    }
    return timer.finish();
  }
}
