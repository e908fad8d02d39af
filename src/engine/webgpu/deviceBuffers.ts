/**
 * Owns the buffers that outlive a replay: adapter, optimiser state, KV cache, inputs, outputs, constants,
 * arenas.
 */
import { isNf4 } from '../../formats/tensors.ts';
import type { GpuContext } from '../../gpu/gpuContext.ts';
import { promptly } from '../../gpu/promptly.ts';
import type { AdapterLayout } from '../../model/adapterLayout.ts';
import { valueBytes, type Value } from '../../graph/value.ts';
import type { BufferRange, PlanBuffers } from '../../plan/planExecutor.ts';
import type { Plan } from '../../plan/plan.ts';
import { QUANTIZATION_TABLE_BYTES, quantizationTables } from '../../quant/nf4.ts';
import type { WeightBuffers } from './uploadWeights.ts';
import { arenaBytes, bufferCategory, readbackBytes, deviceBufferKey } from '../memoryReport.ts';

export class DeviceBuffers {
  /** By deviceBufferKey; several buffers where the adapter is larger than one may be. */
  private readonly buffers = new Map<string, GPUBuffer[]>();
  private readonly arenas: GPUBuffer[] = [];
  private readback: GPUBuffer | null = null;
  private tables: GPUBuffer | null = null;

  constructor(
    private readonly context: GpuContext,
    private readonly layout: AdapterLayout,
    private readonly weights: WeightBuffers,
  ) {}

  /**
   * Allocates what the plans need; a second call with more plans adds what is missing.
   * @returns whether arenas were replaced, which makes bind groups on them void
   */
  allocate(plans: readonly Plan[]): boolean {
    const { context } = this;
    const adapter = `state adapter [${this.layout.elements}]`;
    if (!this.buffers.has(adapter))
      this.buffers.set(
        adapter,
        this.layout.pieces.map(({ elements }) => context.createBuffer('adapter', adapter, elements * 4)),
      );
    for (const plan of plans) {
      for (const value of plan.external) {
        if (value.role === 'weight' || value.role === 'parameter' || value.role === 'gradient') continue;
        const key = deviceBufferKey(value, plan);
        if (this.buffers.has(key)) continue;
        const pieces = this.isWholeAdapter(value)
          ? this.layout.pieces.map(({ elements }) => elements * 4)
          : [valueBytes(value)];
        const buffers = pieces.map((bytes) => context.createBuffer(bufferCategory(value), key, bytes));
        if (value.data)
          context.device.queue.writeBuffer(buffers[0], 0, value.data as Float32Array<ArrayBuffer>);
        this.buffers.set(key, buffers);
      }
    }
    if (this.readback?.size !== readbackBytes(plans)) {
      if (this.readback) context.destroyBuffer(this.readback);
      this.readback = context.createBuffer(
        'batch',
        'readback',
        readbackBytes(plans),
        GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      );
    }
    if (!this.tables && plans.some((plan) => plan.external.some(({ kind }) => isNf4(kind)))) {
      this.tables = context.createBuffer('weights', 'quantisation tables', QUANTIZATION_TABLE_BYTES);
      context.device.queue.writeBuffer(this.tables, 0, quantizationTables());
    }
    let replaced = false;
    arenaBytes(plans).forEach((bytes, i) => {
      if (this.arenas[i]?.size === bytes) return;
      if (this.arenas[i]) context.destroyBuffer(this.arenas[i]);
      this.arenas[i] = context.createBuffer('activations', `arena ${i}`, bytes);
      replaced = true;
    });
    return replaced;
  }

  get arenaBuffers(): readonly GPUBuffer[] {
    return this.arenas;
  }

  /** Frees what `plans` use and no plan of `keep` does. The executors of `plans` must not run again. */
  release(plans: readonly Plan[], keep: readonly Plan[]): void {
    const kept = new Set(keep.flatMap((plan) => plan.external.map((value) => deviceBufferKey(value, plan))));
    for (const plan of plans) {
      for (const value of plan.external) {
        const key = deviceBufferKey(value, plan);
        const buffers = this.buffers.get(key);
        if (!buffers || kept.has(key)) continue;
        for (const buffer of buffers) this.context.destroyBuffer(buffer);
        this.buffers.delete(key);
      }
    }
  }

  /** Where the values of a plan lie, for its executor. */
  for(plan: Plan): PlanBuffers {
    return {
      value: (value, offset, bytes) => this.locate(value, plan, offset, bytes),
      weight: ({ name }, part, slice) => this.weights.get(name)![part]![slice],
      weights: ([{ name }], part) => {
        const { buffer } = this.weights.get(name)![part]![0];
        return { buffer, offset: 0, size: buffer.size };
      },
      quantizationTables: () => ({ buffer: this.tables!, offset: 0, size: QUANTIZATION_TABLE_BYTES }),
    };
  }

  /** The buffers of a state that all plans share. */
  state(name: string, elements: number): readonly GPUBuffer[] {
    return this.buffers.get(`state ${name} [${elements}]`)!;
  }

  output(plan: Plan, name: string): GPUBuffer {
    return this.buffers.get(`${plan.name}.${name}`)![0];
  }

  input(plan: Plan, name: string): GPUBuffer {
    return this.buffers.get(deviceBufferKey(inputOf(plan, name)!, plan))![0];
  }

  /** Writes an input of a plan by name. A plan without that input is left as it is. */
  write(plan: Plan, name: string, data: Float32Array | Uint32Array | Int32Array): void {
    const value = inputOf(plan, name);
    if (!value) return;
    if (data.byteLength !== valueBytes(value))
      throw new Error(
        `${plan.name}: input ${name} has ${data.byteLength} bytes, planned were ${valueBytes(value)}`,
      );
    this.context.device.queue.writeBuffer(
      this.buffers.get(deviceBufferKey(value, plan))![0],
      0,
      data as Float32Array<ArrayBuffer>,
    );
  }

  /** Reads the first `bytes` of a buffer. Only one read may be under way at a time. */
  async read(buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    const { device } = this.context;
    const encoder = device.createCommandEncoder();
    const staging =
      bytes <= this.readback!.size
        ? this.readback!
        : device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    const copy = await this.mapped(staging, bytes);
    if (staging !== this.readback) staging.destroy();
    return copy;
  }

  /**
   * Encodes a copy of the first `bytes` of a buffer to `offset` in the staging buffer that `takeBack` reads.
   */
  copyBack(encoder: GPUCommandEncoder, buffer: GPUBuffer, bytes: number, offset: number): void {
    encoder.copyBufferToBuffer(buffer, 0, this.readback!, offset, bytes);
  }

  /** @returns the first `bytes` of the staging buffer, once everything that was submitted has run */
  takeBack(bytes: number): Promise<ArrayBuffer> {
    return this.mapped(this.readback!, bytes);
  }

  /** @returns the first `bytes` of a mappable buffer, once everything that was submitted has run */
  async mapped(staging: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    await promptly(this.context.device, staging.mapAsync(GPUMapMode.READ, 0, bytes));
    const copy = staging.getMappedRange(0, bytes).slice(0);
    staging.unmap();
    this.context.check();
    return copy;
  }

  private locate(value: Value, plan: Plan, offset: number, size: number): BufferRange {
    if (value.role === 'parameter' || value.role === 'gradient') {
      return this.inAdapter(
        this.state(value.role === 'parameter' ? 'adapter' : 'gradients', this.layout.elements),
        this.layout.find(value.name).offset * 4 + offset,
        size,
      );
    }
    const buffers = this.buffers.get(deviceBufferKey(value, plan));
    if (!buffers) throw new Error(`${plan.name}: ${value.role} ${value.name} was not allocated`);
    return this.isWholeAdapter(value)
      ? this.inAdapter(buffers, offset, size)
      : { buffer: buffers[0], offset, size };
  }

  /** A range of the adapter that lies in one of its buffers. @param offset bytes from the adapter's start */
  private inAdapter(buffers: readonly GPUBuffer[], offset: number, size: number): BufferRange {
    const piece = this.layout.pieces.findLastIndex(({ first }) => first * 4 <= offset);
    return { buffer: buffers[piece], offset: offset - this.layout.pieces[piece].first * 4, size };
  }

  private isWholeAdapter({ role, name, shape }: Value): boolean {
    return (
      role === 'state' &&
      (ADAPTER_STATES as readonly string[]).includes(name) &&
      shape[0] === this.layout.elements
    );
  }
}

/** The states with one element for each of the adapter's. */
const ADAPTER_STATES = ['adapter', 'gradients', 'expAvg', 'expAvgSq'] as const;
export type AdapterState = (typeof ADAPTER_STATES)[number];

function inputOf(plan: Plan, name: string): Value | undefined {
  return plan.external.find((value) => value.role === 'input' && value.name === name);
}
