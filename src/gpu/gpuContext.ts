/** The one GPU device: limits, settings for its kernels, allocation with a ledger, and the pipeline cache. */
import { DeviceLostError } from '../lib/errors.ts';
import type { KernelLevel, KernelSettings } from './dispatch.ts';
import { declaredBindings } from './bindings.ts';

/** Who a buffer belongs to, as the memory report names it. */
export type MemoryCategory = 'weights' | 'adapter' | 'optimizer' | 'activations' | 'batch' | 'kvCache';

export interface PipelineAndLayout {
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
}

/** A lost device rejects what is waited for before it says that it is lost. */
const LOSS_TOLD_MS = 200;

export class GpuContext {
  readonly settings: KernelSettings;
  /** What arithmetic this device can do, from plain on. Engines are made with one of these and with choices of their own; the settings here are plain. */
  readonly levels: readonly KernelLevel[];
  /** What plans and buffers keep to: the device's own limits. */
  readonly limits: { maxBindingBytes: number; maxBufferBytes: number };
  /** The adapter in words. */
  readonly name: string;
  private readonly ledger = new Map<GPUBuffer, { category: MemoryCategory; bytes: number }>();
  private readonly pipelines = new Map<string, Promise<PipelineAndLayout>>();
  private readonly layouts = new Map<string, { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout }>();
  private firstError: Error | null = null;
  lost: string | null = null;

  constructor(
    readonly device: GPUDevice,
    readonly adapterInfo: GPUAdapterInfo,
  ) {
    this.name = adapterName(adapterInfo);
    this.levels = offeredLevels(device, adapterInfo);
    const isSoftware = isSoftwareAdapter(adapterInfo);
    this.settings = {
      target: isSoftware ? 'cpu' : 'gpu',
      rowWorkgroup: isSoftware ? 1 : 128,
      level: 'plain',
      workgroupBytes: device.limits.maxComputeWorkgroupStorageSize,
      maxWorkgroups: device.limits.maxComputeWorkgroupsPerDimension,
      maxStorageBuffers: device.limits.maxStorageBuffersPerShaderStage,
      maxBindingBytes: Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize),
    };
    this.limits = {
      maxBindingBytes: this.settings.maxBindingBytes,
      maxBufferBytes: device.limits.maxBufferSize,
    };
    device.addEventListener('uncapturederror', (event) => {
      this.firstError ??= new Error(
        `The GPU refused a command: ${(event as GPUUncapturedErrorEvent).error.message}`,
      );
    });
    void device.lost.then((info) => {
      this.lost = info.message || 'unknown reason';
    });
  }

  /** Throws what went wrong on the device since the last check: a refused command, too little memory, a lost device. */
  check(): void {
    if (this.lost !== null) throw new DeviceLostError(`The GPU was lost (${this.lost}).`);
    const error = this.firstError;
    this.firstError = null;
    if (error) throw error;
  }

  /** What is behind an error of a command: the loss of the device where that is it, which may be told a moment later. @returns what to throw */
  async causeOf(error: unknown): Promise<unknown> {
    await Promise.race([this.device.lost, new Promise((resolve) => setTimeout(resolve, LOSS_TOLD_MS))]);
    return this.lost === null ? error : new DeviceLostError(`The GPU was lost (${this.lost}).`);
  }

  /** @param bytes rounded up to 4 */
  createBuffer(
    category: MemoryCategory,
    label: string,
    bytes: number,
    usage: GPUBufferUsageFlags = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
  ): GPUBuffer {
    const size = Math.ceil(bytes / 4) * 4;
    if (size > this.limits.maxBufferBytes)
      throw new Error(
        `${label} needs a buffer of ${size} bytes; this GPU allows ${this.limits.maxBufferBytes}. Use a smaller model or a lower max_length.`,
      );
    const buffer = this.device.createBuffer({ label, size, usage });
    this.ledger.set(buffer, { category, bytes: size });
    return buffer;
  }

  destroyBuffer(buffer: GPUBuffer): void {
    this.ledger.delete(buffer);
    buffer.destroy();
  }

  /** Bytes allocated now, by category. */
  allocated(): Record<MemoryCategory, number> {
    const sums: Record<MemoryCategory, number> = {
      weights: 0,
      adapter: 0,
      optimizer: 0,
      activations: 0,
      batch: 0,
      kvCache: 0,
    };
    for (const { category, bytes } of this.ledger.values()) sums[category] += bytes;
    return sums;
  }

  /** Compiles once a shader text; storage bindings are declared as the text has them. */
  pipeline(code: string, label: string): Promise<PipelineAndLayout> {
    let made = this.pipelines.get(code);
    if (!made) {
      const { group, pipeline: layout } = this.layout(code);
      const module = this.device.createShaderModule({ label, code });
      made = this.device
        .createComputePipelineAsync({ label, layout, compute: { module, entryPoint: 'main' } })
        .then(
          (pipeline) => ({ pipeline, layout: group }),
          (error: unknown) => {
            throw new Error(
              `The shader ${label} did not compile on ${this.name}: ${error instanceof Error ? error.message : String(error)}. Update the browser and the graphics driver.`,
            );
          },
        );
      this.pipelines.set(code, made);
    }
    return made;
  }

  /** Lets go of a compiled shader; whoever uses it keeps it. */
  forgetPipeline(code: string): void {
    this.pipelines.delete(code);
  }

  private layout(code: string) {
    const bindings = declaredBindings(code).sort((a, b) => a.binding - b.binding);
    const key = bindings.map(({ binding, access }) => `${binding}${access}`).join();
    let layout = this.layouts.get(key);
    if (!layout) {
      const group = this.device.createBindGroupLayout({
        entries: bindings.map(({ binding, access }) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: access === 'read' ? ('read-only-storage' as const) : ('storage' as const) },
        })),
      });
      layout = { group, pipeline: this.device.createPipelineLayout({ bindGroupLayouts: [group] }) };
      this.layouts.set(key, layout);
    }
    return layout;
  }

  /** Gives every buffer back; pipelines stay for the next run. */
  releaseBuffers(): void {
    for (const buffer of this.ledger.keys()) buffer.destroy();
    this.ledger.clear();
  }

  dispose(): void {
    this.releaseBuffers();
    this.device.destroy();
  }
}

/** Used where the adapter offers them; no kernel of the plain level needs one. */
const OPTIONAL_FEATURES = [
  'timestamp-query',
  'shader-f16',
  'subgroups',
  'chromium-experimental-subgroup-matrix',
] as GPUFeatureName[];

/** What plans and kernels use beyond WebGPU's own limits, where an adapter offers more. */
const RAISED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxStorageBuffersPerShaderStage',
] as const;

/**
 * The best adapter there is, with the limits it offers; null where the browser has no WebGPU or no adapter.
 * @param raised the limits to ask for; none: a device that has only what WebGPU promises everywhere
 */
export async function openGpu(
  gpu: GPU | undefined = navigator.gpu,
  raised: readonly (keyof GPUSupportedLimits & string)[] = RAISED_LIMITS,
): Promise<GpuContext | null> {
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) return null;
  const { limits, info, features } = adapter;
  const device = await adapter.requestDevice({
    requiredFeatures: OPTIONAL_FEATURES.filter((name) => features.has(name)),
    requiredLimits: Object.fromEntries(raised.map((name) => [name, limits[name] as number])),
  });
  return new GpuContext(device, info);
}

/** Levels that a device's features allow. Subgroup matrices count where they are 16 x 16 x 16, float16 in and float32 out, over subgroups of 32. */
export function offeredLevels({ features }: GPUDevice, info: GPUAdapterInfo): KernelLevel[] {
  if (!features.has('shader-f16')) return ['plain'];
  const {
    subgroupMinSize,
    subgroupMaxSize,
    subgroupMatrixConfigs = [],
  } = info as GPUAdapterInfo & SubgroupInfo;
  const fits = ({ M, N, K, componentType, resultComponentType }: SubgroupMatrixConfig) =>
    M === 16 && N === 16 && K === 16 && componentType === 'f16' && resultComponentType === 'f32';
  const matrix =
    features.has('chromium-experimental-subgroup-matrix') &&
    subgroupMinSize === 32 &&
    subgroupMaxSize === 32 &&
    [...subgroupMatrixConfigs].some(fits);
  return matrix ? ['plain', 'f16', 'matrix'] : ['plain', 'f16'];
}

/** Chromium's adapter info beyond the standard's. */
interface SubgroupInfo {
  subgroupMinSize?: number;
  subgroupMaxSize?: number;
  subgroupMatrixConfigs?: Iterable<SubgroupMatrixConfig>;
}

interface SubgroupMatrixConfig {
  M: number;
  N: number;
  K: number;
  componentType: string;
  resultComponentType: string;
}

export function adapterName(info: GPUAdapterInfo): string {
  return (
    [info.vendor, info.architecture, info.device, info.description].filter(Boolean).join(' ') ||
    'unnamed adapter'
  );
}

/** A CPU that poses as a GPU (SwiftShader, llvmpipe, WARP): kernels without barriers are faster there. */
export function isSoftwareAdapter(info: GPUAdapterInfo): boolean {
  return info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render|warp/i.test(adapterName(info));
}
