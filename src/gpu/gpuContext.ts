/** The one GPU device: limits, settings for its kernels, allocation with a ledger, and the pipeline cache. */
import { DeviceLostError, messageOf } from '../lib/errors.ts';
import {
  adapterName,
  hasManyRegisters,
  isSoftwareAdapter,
  matrixUnits,
  offeredLevels,
} from './adapterInfo.ts';
import type { KernelLevel, KernelSettings } from './dispatch.ts';
import { declaredBindings } from './bindings.ts';
import { report } from '../lib/errorLog.ts';

/** What a buffer is for, as the memory report names it. */
export type MemoryCategory = 'weights' | 'adapter' | 'optimizer' | 'activations' | 'batch' | 'kvCache';

export interface PipelineAndLayout {
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
}

/** A lost device rejects pending promises first and resolves `device.lost` up to so much later. */
const LOSS_DELAY_MS = 200;

export class GpuContext {
  readonly settings: KernelSettings;
  /**
   * The levels of arithmetic that this device offers, from plain on. The settings here are plain; an engine
   * is made with one of these levels and with choices of its own.
   */
  readonly levels: readonly KernelLevel[];
  /** The device's limits, which plans and buffers keep to. */
  readonly limits: { maxBindingBytes: number; maxBufferBytes: number };
  /** Vendor, architecture and description of the adapter. */
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
      maxSums: hasManyRegisters(adapterInfo) ? 128 : 64,
      level: 'plain',
      matrixUnits: matrixUnits(device, adapterInfo) ?? undefined,
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
      const refused = new Error(`The GPU refused a command: ${event.error.message}`);
      report(refused, 'running commands on the GPU');
      this.firstError ??= refused;
    });
    void device.lost.then((info) => {
      this.lost = info.message || 'unknown reason';
    });
  }

  /**
   * @throws what went wrong on the device since the last check: a refused command, too little memory, a lost
   * device
   */
  check(): void {
    if (this.lost !== null) throw new DeviceLostError(`The GPU was lost (${this.lost}).`);
    const error = this.firstError;
    this.firstError = null;
    if (error) throw error;
  }

  /**
   * Why a command failed: the loss of the device, which may be reported a moment later, or `error`. @returns
   * what to throw
   */
  async causeOf(error: unknown): Promise<unknown> {
    await Promise.race([this.device.lost, new Promise((resolve) => setTimeout(resolve, LOSS_DELAY_MS))]);
    return this.lost === null ? error : new DeviceLostError(`The GPU was lost (${this.lost}).`);
  }

  /**
   * A buffer in the ledger. @param bytes are rounded up to a multiple of 4 @throws where the device allows no
   * such size
   */
  createBuffer(
    category: MemoryCategory,
    label: string,
    bytes: number,
    usage: GPUBufferUsageFlags = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
  ): GPUBuffer {
    const size = Math.ceil(bytes / 4) * 4;
    if (size > this.limits.maxBufferBytes)
      throw new Error(
        `${label} needs a buffer of ${size} bytes; this GPU allows ${this.limits.maxBufferBytes}. ` +
          'Use a smaller model or a lower max_length.',
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

  /**
   * Compiles a shader text, or returns the pipeline that was compiled from it before. @param label for
   * messages
   * @throws where the adapter does not compile it
   */
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
              `The shader ${label} did not compile on ${this.name}: ` +
                `${messageOf(error)}. ` +
                'Update the browser and the graphics driver.',
            );
          },
        );
      this.pipelines.set(code, made);
    }
    return made;
  }

  /** Removes a compiled shader from the cache; those who hold the pipeline keep it. */
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

  /** Destroys every buffer; pipelines stay cached for the next run. */
  releaseBuffers(): void {
    for (const buffer of this.ledger.keys()) buffer.destroy();
    this.ledger.clear();
  }

  dispose(): void {
    this.releaseBuffers();
    this.device.destroy();
  }
}

/** Requested where the adapter offers them; no kernel of the plain level needs one. */
const OPTIONAL_FEATURES = [
  'timestamp-query',
  'shader-f16',
  'subgroups',
  'subgroup-size-control',
  'chromium-experimental-subgroup-matrix',
  'subgroup-matrix',
] as GPUFeatureName[];

/** Limits that plans and kernels use beyond WebGPU's guaranteed ones, where an adapter offers more. */
const RAISED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxStorageBuffersPerShaderStage',
] as const;

/**
 * Opens the best adapter. @param raised limits to request in full; none: a device that has only what WebGPU
 * guarantees
 * @returns null where the browser has no WebGPU or no adapter
 */
export async function openGpu(
  gpu: GPU | undefined = navigator.gpu,
  raised: readonly (typeof RAISED_LIMITS)[number][] = RAISED_LIMITS,
): Promise<GpuContext | null> {
  const adapter = gpu && (await requestAdapter(gpu));
  if (!adapter) return null;
  const { limits, info, features } = adapter;
  const device = await adapter.requestDevice({
    requiredFeatures: OPTIONAL_FEATURES.filter((name) => features.has(name)),
    requiredLimits: Object.fromEntries(raised.map((name) => [name, limits[name]])),
  });
  return new GpuContext(device, info);
}

/** Between the first request for an adapter and the second. */
const ADAPTER_RETRY_MS = 500;

/**
 * A browser whose GPU process is still starting answers the first request with null, though the machine has a
 * GPU (seen in Chromium 156 on Linux): only the second answer counts.
 */
async function requestAdapter(gpu: GPU): Promise<GPUAdapter | null> {
  const request = () => gpu.requestAdapter({ powerPreference: 'high-performance' });
  const first = await request();
  if (first) return first;
  await new Promise((resolve) => setTimeout(resolve, ADAPTER_RETRY_MS));
  return request();
}
