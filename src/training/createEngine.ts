/** Chooses the engine and owns the one GPU device: WebGPU where there is an adapter, else TensorFlow.js for small models. */
import type { TensorInfo } from '../formats/tensors.ts';
import { openGpu, type GpuContext } from '../gpu/context.ts';
import { probeMemory } from '../gpu/probe.ts';
import { UserError } from '../lib/errors.ts';
import { modelOf } from '../model/registry.ts';
import type { Engine, EngineOptions, LoraSettings, MemoryAim, MemoryChoice, MemoryReport } from './engine.ts';
import type { GpuCheck } from './gpuCheck.ts';
import { chooseMemory } from './memoryChoice.ts';
import { memoryReport } from './runPlans.ts';
import { fallbackMemory, TensorFlowEngine } from './tensorflowEngine.ts';
import { WebGpuEngine } from './webgpuEngine.ts';

export interface MemoryRequest {
  config: Record<string, unknown>;
  tensors: ReadonlyMap<string, TensorInfo>;
  lora: LoraSettings;
  tokensPerMicroBatch: number;
  gradientCheckpointing: boolean;
  memoryAim: MemoryAim;
}

export interface MemoryAnswer {
  memory: MemoryReport;
  /** T as it was asked for, or lower where that is what it takes to fit. */
  tokensPerMicroBatch: number;
  /** What was chosen to fit and why; absent where TensorFlow.js runs. */
  choice?: MemoryChoice;
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

  /** @param open gives null where there is no WebGPU */
  constructor(private readonly open: () => Promise<GpuContext | null> = () => openGpu()) {}

  /** Exact memory of a run, before anything is allocated. */
  async memoryOf(request: MemoryRequest): Promise<MemoryAnswer> {
    const options = { ...request, model: modelOf(request.config), weights: request.tensors };
    const gpu = await this.device();
    if (!gpu)
      return { memory: fallbackMemory(options), tokensPerMicroBatch: request.tokensPerMicroBatch, device: 'TensorFlow.js (this browser offers no WebGPU)', isFallback: true };
    const { plans, choice } = chooseMemory({ ...options, aim: request.memoryAim }, gpu.settings, gpu.limits);
    return { memory: memoryReport(plans), tokensPerMicroBatch: choice.tokensPerMicroBatch, choice, device: gpu.name, isFallback: false };
  }

  /** A new engine; the one before is disposed of first, so that only one set of weights is ever on the device. */
  async create(options: EngineOptions): Promise<Engine> {
    this.engine?.dispose();
    this.engine = null;
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
    const gpu = await this.device();
    if (!gpu) return null;
    const held = Object.values(gpu.allocated()).reduce((a, b) => a + b, 0);
    const more = Math.max(0, bytes - held);
    return held + (await probeMemory(gpu.device, gpu.limits.maxBufferBytes, more));
  }

  /** Kernels against TensorFlow.js on this adapter. @throws where there is no WebGPU */
  async check(onProgress: (done: number, total: number) => void): Promise<GpuCheck> {
    const gpu = await this.device();
    if (!gpu) throw new UserError('This browser offers no WebGPU, so there is no GPU to check. Use a current Chrome, Edge or Safari with hardware acceleration on.');
    const { checkGpu } = await import('./gpuCheck.ts');
    return checkGpu(gpu, onProgress);
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
    throw new UserError('The GPU was lost and did not come back. Restart the browser; nothing that was saved is lost, and a run goes on from its last checkpoint.');
  }
}
