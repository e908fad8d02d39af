/** Chooses the engine and owns the one GPU device: WebGPU where there is an adapter, else TensorFlow.js for small models. */
import { openGpu, type GpuContext } from '../gpu/gpuContext.ts';
import { probeMemory } from '../gpu/memoryProbe.ts';
import { UserError } from '../lib/errors.ts';
import { modelOf } from '../model/families/registry.ts';
import { choicesAt, decideLevel } from '../tuning/autotuner.ts';
import { tuningTasksOf, type TuningTask } from '../tuning/tuningProblems.ts';
import type { Engine, EngineOptions, MemoryChoice, MemoryReport } from './engine.ts';
import type { GpuCheck } from '../verify/gpuCheck.ts';
import { settingsWith, type KernelChoice } from '../tuning/kernelChoice.ts';
import { KernelTuner, type MeasureOptions, type TuningMemory } from '../tuning/kernelTuner.ts';
import type { EngineRequest } from './engineRequest.ts';
import { chooseMemory } from './memoryChoice.ts';
import { listPlans } from './enginePlans.ts';
import { memoryReport } from './memoryReport.ts';
import { fallbackMemory, TensorFlowEngine } from './tensorflow/tensorflowEngine.ts';
import { WebGpuEngine } from './webgpu/webgpuEngine.ts';
import { settled } from '../lib/promises.ts';

export interface MemoryAnswer {
  memory: MemoryReport;
  /** T as it was asked for, or lower where that is what it takes to fit. */
  tokensPerMicroBatch: number;
  /** What was chosen to fit and why; absent where TensorFlow.js runs. */
  choice?: MemoryChoice;
  /** What the kernels would be now; absent where TensorFlow.js runs. */
  kernels?: KernelChoice;
  /** The adapter in words. */
  device: string;
  /** TensorFlow.js: slow, and its memory is estimated. */
  isFallback: boolean;
}

/** A driver that restarts, or a laptop that wakes, needs a while. */
const REOPEN_AFTER_MS = [0, 1000, 4000, 15_000];

export class EngineHost {
  private gpu: Promise<GpuContext | null> | null = null;
  private engine: Engine | null = null;
  private readonly tuner: KernelTuner;
  /** What is being measured; nothing else runs on the device meanwhile. */
  private measuring: Promise<unknown> = Promise.resolve();

  /** @param open gives null where there is no WebGPU @param memory keeps what was measured; null: only as long as this host lives */
  constructor(
    private readonly open: () => Promise<GpuContext | null> = () => openGpu(),
    memory: TuningMemory | null = null,
  ) {
    this.tuner = new KernelTuner(memory);
  }

  /** Exact memory of a run, before anything is allocated. */
  async memoryOf(request: EngineRequest): Promise<MemoryAnswer> {
    const gpu = await this.device();
    if (!gpu) {
      const options = { ...request, model: modelOf(request.config), weights: request.tensors };
      return {
        memory: fallbackMemory(options),
        tokensPerMicroBatch: request.tokensPerMicroBatch,
        device: 'TensorFlow.js (this browser offers no WebGPU)',
        isFallback: true,
      };
    }
    const { plans, choice, kernels } = await this.decide(gpu, request);
    return {
      memory: memoryReport(plans),
      tokensPerMicroBatch: choice.tokensPerMicroBatch,
      choice,
      kernels,
      device: gpu.name,
      isFallback: false,
    };
  }

  /**
   * Measures the kernels of a run that are not known yet, as far as the time goes; not while an engine holds the device's memory.
   * @returns whether anything was measured
   */
  async measureKernels(request: EngineRequest, options: MeasureOptions): Promise<boolean> {
    if (!request.kernels.tune || this.engine) return false;
    return (await this.alone(async (gpu) => (await this.measureMissing(gpu, request, options)) > 0)) ?? false;
  }

  /** Decides a run's kernels for good: what is not known is measured within the budget, and the rest left to the rule. @returns undefined where TensorFlow.js runs */
  async settleKernels(request: EngineRequest, options: MeasureOptions): Promise<KernelChoice | undefined> {
    this.disposeEngine();
    return this.alone(async (gpu) => {
      await this.measureMissing(gpu, request, options);
      const { works, kernels } = await this.decide(gpu, request);
      const known = await this.tuner.known(gpu);
      if (!options.stopped())
        await this.tuner.leave(
          gpu,
          works.filter(({ tuningProblem }) => !known.has(tuningProblem.key)),
        );
      return kernels;
    });
  }

  /** Whether kernels decided before, perhaps on another adapter, can run on this one. */
  async canRun({ level }: KernelChoice): Promise<boolean> {
    return (await this.device())?.levels.includes(level) ?? false;
  }

  /** A new engine; the one before is disposed of first, so that only one set of weights is ever on the device. */
  async create(options: EngineOptions): Promise<Engine> {
    this.disposeEngine();
    await this.measuring;
    const gpu = await this.device();
    if (!gpu) return (this.engine = await TensorFlowEngine.create(options));
    try {
      this.engine = await WebGpuEngine.create(gpu, options);
    } catch (error) {
      gpu.releaseBuffers();
      throw await gpu.causeOf(error);
    }
    return this.engine;
  }

  /** How many of `bytes` the driver grants, beside what is allocated now. @returns null where there is no WebGPU */
  async probe(bytes: number): Promise<number | null> {
    await this.measuring;
    const gpu = await this.device();
    if (!gpu) return null;
    const held = Object.values(gpu.allocated()).reduce((a, b) => a + b, 0);
    const more = Math.max(0, bytes - held);
    return held + (await probeMemory(gpu.device, gpu.limits.maxBufferBytes, more));
  }

  /** Kernels against TensorFlow.js on this adapter. @throws where there is no WebGPU */
  async check(onProgress: (done: number, total: number) => void): Promise<GpuCheck> {
    await this.measuring;
    const gpu = await this.device();
    if (!gpu)
      throw new UserError(
        'This browser offers no WebGPU, so there is no GPU to check. Use a current Chrome, Edge or Safari with hardware acceleration on.',
      );
    const { checkGpu } = await import('../verify/gpuCheck.ts');
    return checkGpu(gpu, onProgress);
  }

  /** A run's plans with the kernels that are known, its level decided by what was measured. */
  private async decide(
    gpu: GpuContext,
    request: EngineRequest,
  ): Promise<ReturnType<typeof chooseMemory> & { works: TuningTask[]; kernels: KernelChoice }> {
    const { tune, level: wanted } = request.kernels;
    if (wanted !== 'auto' && !gpu.levels.includes(wanted))
      throw new UserError(
        `${gpu.name} has no kernels of level ${wanted} in this browser, only ${gpu.levels.join(' and ')}. Take level=${wanted} out of the page's address.`,
      );
    const known = tune ? await this.tuner.known(gpu) : new Map<string, never>();
    const planned = (level: KernelChoice['level']) => {
      const choices = Object.fromEntries(
        [...known].flatMap(([key, measured]) => (measured[level] ? [[key, measured[level].config]] : [])),
      );
      const made = chooseMemory(
        { ...request, model: modelOf(request.config), weights: request.tensors, aim: request.memoryAim },
        settingsWith(gpu.settings, { level, choices }),
        gpu.limits,
      );
      return { ...made, works: tune ? tuningTasksOf(listPlans(made.plans)) : [] };
    };
    const first = planned(wanted === 'auto' ? 'plain' : wanted);
    const level = wanted === 'auto' ? decideLevel(first.works, known, gpu.levels) : wanted;
    const made = wanted === 'auto' && level !== 'plain' ? planned(level) : first;
    // At another level a run may have other micro-batches; what decided the level belongs to it too.
    const works = [
      ...new Map([...made.works, ...first.works].map((work) => [work.tuningProblem.key, work])).values(),
    ];
    const measured = works.filter(({ tuningProblem }) => known.get(tuningProblem.key)?.[level]).length;
    return {
      ...made,
      works,
      kernels: {
        level,
        choices: Object.fromEntries(choicesAt(level, works, known)),
        measured,
        of: works.length,
      },
    };
  }

  /** @returns how many works were tried */
  private async measureMissing(
    gpu: GpuContext,
    request: EngineRequest,
    options: MeasureOptions,
  ): Promise<number> {
    if (!request.kernels.tune) return 0;
    const until = performance.now() + options.budgetMs;
    let tried = 0;
    // The level that is found may plan other micro-batches.
    for (let round = 0; round < 2 && !options.stopped(); round++) {
      const known = await this.tuner.known(gpu);
      const missing = (await this.decide(gpu, request)).works.filter(
        ({ tuningProblem }) => !known.has(tuningProblem.key),
      );
      if (missing.length === 0) break;
      tried += missing.length;
      await this.tuner.measure(gpu, missing, { ...options, budgetMs: until - performance.now() });
    }
    return tried;
  }

  /** Runs measurements one after the other. @returns undefined where there is no WebGPU */
  private alone<T>(work: (gpu: GpuContext) => Promise<T>): Promise<T | undefined> {
    const result = this.measuring.then(async () => {
      const gpu = await this.device();
      return gpu ? work(gpu) : undefined;
    });
    this.measuring = settled(result);
    return result;
  }

  private disposeEngine(): void {
    this.engine?.dispose();
    this.engine = null;
  }

  /** The device, opened anew where it was lost. @throws UserError where it was lost and none comes back */
  private async device(): Promise<GpuContext | null> {
    const open = await this.gpu;
    if (open && open.lost === null) return open;
    for (const wait of open ? REOPEN_AFTER_MS : [0]) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      this.gpu = this.open();
      if (await this.gpu) return this.gpu;
    }
    if (!open) return null;
    this.gpu = null;
    throw new UserError(
      'The GPU was lost and did not come back. Restart the browser; nothing that was saved is lost, and a run goes on from its last checkpoint.',
    );
  }
}
