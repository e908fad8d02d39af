/** Chooses the engine and owns it: WebGPU where there is an adapter, else TensorFlow.js for small models. */
import type { KernelLevel } from '../gpu/dispatch.ts';
import { openGpu, type GpuContext } from '../gpu/gpuContext.ts';
import { probeMemory } from '../gpu/memoryProbe.ts';
import { UserError } from '../lib/errors.ts';
import { modelOf } from '../model/families/registry.ts';
import { decideLevel } from '../tuning/autotuner.ts';
import type { KernelChoice } from '../tuning/kernelChoice.ts';
import { KernelTuner, tuningKey } from '../tuning/kernelTuner.ts';
import type { GpuCheck } from '../verify/gpuCheck.ts';
import { isSoftwareAdapter } from '../gpu/adapterInfo.ts';
import { DeviceOwner } from './deviceOwner.ts';
import type { Engine, EngineOptions, MemoryChoice, MemoryReport } from './engine.ts';
import type { EngineRequest } from './engineRequest.ts';
import type { PlannedEngine } from './memoryChoice.ts';
import { memoryReport } from './memoryReport.ts';
import { PlanCache } from './planCache.ts';
import { fallbackMemory } from './tensorflow/fallbackGraphs.ts';
import type { GpuSpeed, SpeedRequest } from './gpuSpeed.ts';
import { TensorFlowEngine } from './tensorflow/tensorflowEngine.ts';
import { WebGpuEngine } from './webgpu/webgpuEngine.ts';
import { settled } from '../lib/promises.ts';

/** What is known of an engine before anything is allocated. */
export interface EngineForecast {
  memory: MemoryReport;
  /** T as it was asked for, or lower where that is what it takes to fit. */
  tokensPerMicroBatch: number;
  /** What was chosen to fit and why; absent where TensorFlow.js runs. */
  choice?: MemoryChoice;
  /** The kernels that it would have now; absent where TensorFlow.js runs. */
  kernels?: KernelChoice;
  /** The adapter in words. */
  device: string;
  /** TensorFlow.js runs: it is slow, and its memory is estimated. */
  isFallback: boolean;
}

export class EngineHost {
  private readonly device: DeviceOwner;
  private readonly plans = new PlanCache();
  private engine: Engine | null = null;
  /** Ends when nothing is being measured: nothing else runs on the device meanwhile. */
  private measuring: Promise<unknown> = Promise.resolve();

  /** @param open gives null where there is no WebGPU */
  constructor(
    open: () => Promise<GpuContext | null> = () => openGpu(),
    private readonly tuner: KernelTuner = new KernelTuner(null),
  ) {
    this.device = new DeviceOwner(open);
  }

  /** @param onWait is called before each wait for a device that was lost */
  reportWaits(onWait: (seconds: number) => void): void {
    this.device.onWait = onWait;
  }

  /**
   * Plans an engine and allocates nothing. `create` uses the same plans.
   * @throws UserError where the run does not fit the recipe's limit, or the adapter lacks the level that is
   * asked for
   */
  async forecast(request: EngineRequest): Promise<EngineForecast> {
    const gpu = await this.device.get();
    if (!gpu) {
      const options = { ...request, model: modelOf(request.config), weights: request.tensors };
      return {
        memory: fallbackMemory(options),
        tokensPerMicroBatch: request.tokensPerMicroBatch,
        device: 'TensorFlow.js (this browser offers no WebGPU)',
        isFallback: true,
      };
    }
    const kernels = await this.choose(gpu, request);
    const { plans, choice } = this.planAt(gpu, request, kernels.level);
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
   * Measures which level of kernels is fastest for a run, if that is asked for and not known yet. It does
   * nothing while an engine holds the device's memory.
   * @param stopped asked between measurements
   * @returns whether the level is known now and was not before
   */
  async measureLevel(request: EngineRequest, stopped: () => boolean): Promise<boolean> {
    if (this.engine) return false;
    return (await this.alone((gpu) => this.measureIfPending(gpu, request, stopped))) ?? false;
  }

  /**
   * Decides a run's kernels for good, after measuring the levels where that is pending.
   * @param stopped asked between measurements
   * @param onMeasure called when a measurement begins
   * @returns undefined where TensorFlow.js runs
   */
  async settleKernels(
    request: EngineRequest,
    stopped: () => boolean,
    onMeasure?: () => void,
  ): Promise<KernelChoice | undefined> {
    this.disposeEngine();
    return this.alone(async (gpu) => {
      await this.measureIfPending(gpu, request, stopped, onMeasure);
      const kernels = await this.choose(gpu, request);
      return kernels.basis === 'pending' ? { ...kernels, basis: 'unknown' } : kernels;
    });
  }

  /** Whether kernels that were chosen before, perhaps on another adapter, can run on this one. */
  async canRun({ level }: KernelChoice): Promise<boolean> {
    return (await this.device.get())?.levels.includes(level) ?? false;
  }

  /** Creates an engine, after disposing of the one before: only one set of weights is ever on the device. */
  async create(options: EngineOptions): Promise<Engine> {
    this.disposeEngine();
    await this.measuring;
    const gpu = await this.device.get();
    if (!gpu) return (this.engine = await TensorFlowEngine.create(options));
    const { weights, memoryAim, level = gpu.settings.level } = options;
    try {
      const planned =
        memoryAim &&
        this.planAt(gpu, { ...options, memoryAim, config: weights.config, tensors: weights.tensors }, level);
      this.engine = await WebGpuEngine.create(gpu, { ...options, level }, planned);
    } catch (error) {
      gpu.releaseBuffers();
      throw await gpu.causeOf(error);
    }
    return this.engine;
  }

  /**
   * Asks the driver for memory and gives it back.
   * @returns how many of `bytes` it grants, what is allocated now included; null where there is no WebGPU
   */
  async probe(bytes: number): Promise<number | null> {
    await this.measuring;
    const gpu = await this.device.get();
    if (!gpu) return null;
    const held = Object.values(gpu.allocated()).reduce((a, b) => a + b, 0);
    const more = Math.max(0, bytes - held);
    return held + (await probeMemory(gpu.device, gpu.limits.maxBufferBytes, more));
  }

  /** Compares the kernels with TensorFlow.js on this adapter. @throws UserError where there is no WebGPU */
  async check(onProgress: (done: number, total: number) => void, casesPerOp: number): Promise<GpuCheck> {
    const gpu = await this.gpuAlone('check');
    const { checkGpu } = await import('../verify/gpuCheck.ts');
    return checkGpu(gpu, onProgress, casesPerOp);
  }

  /**
   * Measures training at the shapes of three models; the engine before is disposed of. A software adapter
   * gets a tiny one.
   * @throws UserError where there is no WebGPU
   */
  async measureSpeed(onProgress: SpeedRequest['onProgress']): Promise<GpuSpeed> {
    const { name, levels, adapterInfo } = await this.gpuAlone('measure');
    const { measureGpuSpeed, TINY } = await import('./gpuSpeed.ts');
    const request = {
      adapter: name,
      levels,
      onProgress,
      create: (options: EngineOptions) => this.create(options),
    };
    try {
      return await measureGpuSpeed({ ...request, ...(isSoftwareAdapter(adapterInfo) ? TINY : {}) });
    } finally {
      this.disposeEngine();
    }
  }

  private async gpuAlone(what: string): Promise<GpuContext> {
    await this.measuring;
    const gpu = await this.device.get();
    if (gpu) return gpu;
    throw new UserError(
      `This browser offers no WebGPU, so there is no GPU to ${what}. Use a current Chrome, Edge or Safari with hardware acceleration on.`,
    );
  }

  /** The kernels that a run would have now. */
  private async choose(gpu: GpuContext, request: EngineRequest): Promise<KernelChoice> {
    const { tune, level } = request.kernels;
    if (level !== 'auto' && !gpu.levels.includes(level))
      throw new UserError(
        `${gpu.name} has no kernels of level ${level} in this browser, only ${gpu.levels.join(' and ')}. Take level=${level} out of the page's address.`,
      );
    if (level !== 'auto') return { level, basis: 'requested' };
    if (gpu.levels.length === 1) return { level: gpu.levels[0], basis: 'only' };
    if (!tune) return { level: 'plain', basis: 'off' };
    const times = await this.tuner.known(gpu, tuningKey(request));
    if (!times) return { level: 'plain', basis: 'pending' };
    const basis = Object.keys(times).length > 0 ? 'measured' : 'unknown';
    return { level: decideLevel(times, gpu.levels), basis };
  }

  private async measureIfPending(
    gpu: GpuContext,
    request: EngineRequest,
    stopped: () => boolean,
    onMeasure?: () => void,
  ): Promise<boolean> {
    const isPending = async () => (await this.choose(gpu, request)).basis === 'pending';
    if (stopped() || !(await isPending())) return false;
    onMeasure?.();
    const { training } = this.planAt(gpu, request, 'plain').plans;
    await this.tuner.measure(gpu, tuningKey(request), training!.train, stopped);
    return !(await isPending());
  }

  private planAt(
    gpu: GpuContext,
    request: Omit<EngineRequest, 'kernels'>,
    level: KernelLevel,
  ): PlannedEngine {
    return this.plans.get(request, { ...gpu.settings, level }, gpu.limits);
  }

  /** Runs measurements one after the other. @returns undefined where there is no WebGPU */
  private alone<T>(work: (gpu: GpuContext) => Promise<T>): Promise<T | undefined> {
    const result = this.measuring.then(async () => {
      const gpu = await this.device.get();
      return gpu ? work(gpu) : undefined;
    });
    this.measuring = settled(result);
    return result;
  }

  private disposeEngine(): void {
    this.engine?.dispose();
    this.engine = null;
  }
}
