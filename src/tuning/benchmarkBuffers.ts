/**
 * The buffers that a kernel benchmark works on: one for each value, weight part and scratch, with data of its
 * own.
 */
import { isGguf, isNf4, tensorPartBytes } from '../formats/tensors.ts';
import type { BufferReference } from '../gpu/dispatch.ts';
import type { GpuContext } from '../gpu/gpuContext.ts';
import type { Graph } from '../graph/graph.ts';
import { valueBytes, type Value } from '../graph/value.ts';
import { weightSlices } from '../ops/weights/weightSlices.ts';
import { QUANTIZATION_TABLE_BYTES, quantizationTables } from '../quant/nf4.ts';
import { integerData, PATTERN_BYTES, patternData, type Pattern } from './benchmarkData.ts';

export class BenchmarkBuffers {
  private readonly buffers = new Map<string, GPUBuffer>();
  private readonly patterns = new Map<Pattern, GPUBuffer>();
  private readonly values: ReadonlyMap<number, Value>;

  constructor(
    private readonly context: GpuContext,
    graph: Graph,
  ) {
    this.values = new Map(graph.values.map((each) => [each.id, each]));
  }

  /** @returns the buffer that a binding refers to, filled when it is made or has to grow */
  get(reference: BufferReference): GPUBuffer {
    const bytes = this.bytesOf(reference);
    const key = keyOf(reference);
    const before = this.buffers.get(key);
    if (before && before.size >= bytes) return before;
    before?.destroy();
    const buffer = this.allocate(bytes);
    this.buffers.set(key, buffer);
    const { queue } = this.context.device;
    if (reference.type === 'quantizationTables') queue.writeBuffer(buffer, 0, quantizationTables());
    else if (reference.type !== 'scratch') {
      const value = this.values.get(reference.type === 'weights' ? reference.ids[0] : reference.id)!;
      if (value.dtype !== 'f32') queue.writeBuffer(buffer, 0, integerData(value));
      else {
        const encoder = this.context.device.createCommandEncoder();
        this.fill(encoder, buffer, patternOf(reference, value), this.buffers.size);
        queue.submit([encoder.finish()]);
      }
    }
    return buffer;
  }

  bytesOf(reference: BufferReference): number {
    switch (reference.type) {
      case 'quantizationTables':
        return QUANTIZATION_TABLE_BYTES;
      case 'scratch':
      case 'weights':
        return reference.bytes;
      case 'value':
        return reference.sizeBytes ?? valueBytes(this.values.get(reference.id)!);
      case 'weight': {
        const { name, shape, kind } = this.values.get(reference.id)!;
        const { maxBindingBytes } = this.context.settings;
        const { rows } = weightSlices({ shape, kind }, maxBindingBytes)[reference.slice];
        const parts = tensorPartBytes({ name, shape: [rows, ...shape.slice(1)], kind: kind! });
        return Math.ceil(parts[reference.part]! / 4) * 4;
      }
    }
  }

  /**
   * Fills a buffer with a pattern.
   * @param seed decides where in the pattern it begins, so that buffers differ
   */
  fill(encoder: GPUCommandEncoder, buffer: GPUBuffer, pattern: Pattern, seed: number): void {
    let source = this.patterns.get(pattern);
    if (!source) {
      this.patterns.set(pattern, (source = this.allocate(PATTERN_BYTES)));
      this.context.device.queue.writeBuffer(source, 0, patternData(pattern));
    }
    let from = (4 * Math.imul(seed, 9973)) % PATTERN_BYTES;
    for (let at = 0; at < buffer.size; from = 0) {
      const bytes = Math.min(PATTERN_BYTES - from, buffer.size - at);
      encoder.copyBufferToBuffer(source, from, buffer, at, bytes);
      at += bytes;
    }
  }

  copyOf(source: GPUBuffer): GPUBuffer {
    const copy = this.allocate(source.size);
    const encoder = this.context.device.createCommandEncoder();
    encoder.copyBufferToBuffer(source, 0, copy, 0, source.size);
    this.context.device.queue.submit([encoder.finish()]);
    return copy;
  }

  dispose(): void {
    for (const buffer of [...this.buffers.values(), ...this.patterns.values()]) buffer.destroy();
  }

  private allocate(size: number): GPUBuffer {
    return this.context.device.createBuffer({
      label: 'kernel benchmark',
      size,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
  }
}

function patternOf(reference: BufferReference, { role, kind }: Value): Pattern {
  if (role !== 'weight' || !(reference.type === 'weight' || reference.type === 'weights')) return 'numbers';
  if (isNf4(kind)) return reference.part === 'packed' || reference.part === 'absmax_q' ? 'bytes' : 'scales';
  if (isGguf(kind)) return 'bytes';
  return kind === 'f32' ? 'numbers' : kind === 'bf16' ? 'bf16' : 'f16';
}

function keyOf(reference: BufferReference): string {
  switch (reference.type) {
    case 'quantizationTables':
      return 'tables';
    case 'scratch':
      return `scratch ${reference.index}`;
    case 'value':
      return `value ${reference.id} ${reference.offsetBytes ?? 0}`;
    case 'weight':
      return `weight ${reference.id} ${reference.part} ${reference.slice}`;
    case 'weights':
      return `weights ${reference.ids.join()} ${reference.part}`;
  }
}
