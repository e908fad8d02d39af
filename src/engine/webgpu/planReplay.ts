/** Replays plans on the device: what a plan needs is made once, and a replay is cut into submissions that a desktop survives. */
import type { GpuContext } from '../../gpu/gpuContext.ts';
import { PlanExecutor } from '../../plan/planExecutor.ts';
import type { Plan } from '../../plan/plan.ts';
import { PassTimer, type PassSpan } from '../../plan/profile.ts';
import type { DeviceBuffers } from './deviceBuffers.ts';

/** GPU work submitted at once: longer trips the watchdog of some systems and freezes the desktop. */
const SUBMIT_MS = 100;
/** Dispatches of a replay's first submission; each further one is twice as long, up to what is encoded while the GPU is busy with the one before. */
const FIRST_PIECE = 32;
const LARGEST_PIECE = 256;

/** What is copied in the first submission of a replay, and in its last. */
export interface ReplayCopies {
  before?(encoder: GPUCommandEncoder): void;
  after?(encoder: GPUCommandEncoder): void;
}

export class GpuReplay {
  private readonly executors = new Map<Plan, Promise<PlanExecutor>>();
  private dispatchesPerSubmit = 64;
  private passTimer: PassTimer | null = null;

  constructor(
    private readonly context: GpuContext,
    private readonly deviceBuffers: DeviceBuffers,
    private readonly onPipeline: (done: number, total: number) => void,
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

  /** Lets go of what was made for these plans, or for all: their buffers were replaced. */
  forget(plans: readonly Plan[] = [...this.executors.keys()]): void {
    for (const plan of plans) this.executors.delete(plan);
  }

  /** Encodes and submits one replay in pieces: small ones first, so that the GPU soon has work while the rest is encoded, and none over SUBMIT_MS. */
  async run(plan: Plan, { before, after }: ReplayCopies = {}): Promise<void> {
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

  /** Learns how long dispatches take from so many that were waited for. */
  took(ms: number, dispatches: number): void {
    this.dispatchesPerSubmit = Math.max(1, Math.round((SUBMIT_MS * dispatches) / ms));
  }

  /** When the passes of the replays that `work` asks for ran on the GPU. @throws where the adapter has no timestamps */
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
