/**
 * NF4 quantisation on a GPU (shaders/quantize_nf4.wgsl), bit-identical to src/quant/nf4Code.ts. Blocks with a
 * comparison that is too close for the GPU's rounding are quantised on the CPU, and an adapter that fails the
 * self-test is not used.
 */
import type { GpuContext, PipelineAndLayout } from '../gpu/gpuContext.ts';
import { flatGrid } from '../gpu/dispatch.ts';
import { promptly } from '../gpu/promptly.ts';
import { assembleShader } from '../gpu/shaders.ts';
import {
  BLOCK,
  LARGEST_EXPONENT,
  LEAST_EXPONENT,
  MIDDLES,
  quantizeBlocks,
  type BlockDtype,
} from '../quant/nf4Code.ts';
import { report } from '../lib/errorLog.ts';
import { Turns } from '../lib/promises.ts';
import { testElements } from './quantizerTestData.ts';

/**
 * Relative distance below which a comparison counts as too close: well above the errors of division and
 * product, 3e-7 together.
 */
const MARGIN = 3e-6;
const DTYPES: Record<BlockDtype, { code: number; bytes: number }> = {
  F32: { code: 0, bytes: 4 },
  BF16: { code: 1, bytes: 2 },
  F16: { code: 2, bytes: 2 },
};

interface Buffers {
  blocks: number;
  elements: GPUBuffer;
  packed: GPUBuffer;
  absmax: GPUBuffer;
  readback: GPUBuffer;
}

export class GpuQuantizer {
  private buffers: Buffers | null = null;
  private readonly turns = new Turns();
  /** Blocks quantised on the CPU (`marked`) of all (`blocks`). */
  readonly count = { marked: 0, blocks: 0 };

  private constructor(private readonly context: GpuContext) {}

  /** @returns null where the adapter fails the self-test: its codes would not be exact */
  static async create(context: GpuContext): Promise<GpuQuantizer | null> {
    const quantizer = new GpuQuantizer(context);
    try {
      for (const dtype of ['F32', 'BF16', 'F16'] as const) if (!(await quantizer.agrees(dtype))) return null;
    } catch (error) {
      // The CPU quantises instead.
      report(error, 'testing the quantisation kernel on the GPU', 'warning');
      return null;
    }
    return quantizer;
  }

  /**
   * As quantizeBlocks, whose parameters these are; `packed` and `absmax` are written when the promise
   * resolves. One call runs at a time.
   */
  quantize(
    dtype: BlockDtype,
    elements: Float32Array | Uint16Array,
    count: number,
    absmax: Float32Array,
    first: number,
    packed: Uint8Array,
    at: number,
  ): Promise<void> {
    return this.turns.take(() => this.run(dtype, elements, count, absmax, first, packed, at));
  }

  dispose(): void {
    if (this.buffers)
      for (const buffer of [
        this.buffers.elements,
        this.buffers.packed,
        this.buffers.absmax,
        this.buffers.readback,
      ])
        this.context.destroyBuffer(buffer);
    this.buffers = null;
  }

  private async run(
    dtype: BlockDtype,
    elements: Float32Array | Uint16Array,
    count: number,
    absmax: Float32Array,
    first: number,
    packed: Uint8Array,
    at: number,
  ): Promise<void> {
    if (count === 0) return;
    const { device, settings } = this.context;
    const { pipeline, layout } = await this.pipeline(dtype);
    const buffers = this.allocate(count);
    const packedBytes = (count * BLOCK) / 2;
    device.queue.writeBuffer(buffers.elements, 0, elements as Float32Array<ArrayBuffer>, 0, count * BLOCK);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    const entries = [
      { buffer: buffers.packed, size: packedBytes },
      { buffer: buffers.absmax, size: count * 4 },
      { buffer: buffers.elements, size: count * BLOCK * DTYPES[dtype].bytes },
    ].map((resource, binding) => ({ binding, resource }));
    pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
    pass.dispatchWorkgroups(...flatGrid(count, 64, settings));
    pass.end();
    encoder.copyBufferToBuffer(buffers.packed, 0, buffers.readback, 0, packedBytes);
    encoder.copyBufferToBuffer(buffers.absmax, 0, buffers.readback, packedBytes, count * 4);
    device.queue.submit([encoder.finish()]);
    await promptly(device, buffers.readback.mapAsync(GPUMapMode.READ, 0, packedBytes + count * 4));
    const mapped = buffers.readback.getMappedRange(0, packedBytes + count * 4);
    packed.set(new Uint8Array(mapped, 0, packedBytes), at);
    absmax.set(new Float32Array(mapped, packedBytes, count), first);
    buffers.readback.unmap();
    this.context.check();
    // The kernel sets the sign of absmax where a comparison was too close.
    const bits = new Uint32Array(absmax.buffer, absmax.byteOffset, absmax.length);
    for (let b = 0; b < count; b++) {
      if (bits[first + b] >>> 31 === 0) continue;
      quantizeBlocks(
        dtype,
        elements.subarray(b * BLOCK, (b + 1) * BLOCK),
        1,
        absmax,
        first + b,
        packed,
        at + (b * BLOCK) / 2,
      );
      this.count.marked++;
    }
    this.count.blocks += count;
  }

  private pipeline(dtype: BlockDtype): Promise<PipelineAndLayout> {
    const constants = {
      DTYPE: DTYPES[dtype].code,
      LEAST_EXPONENT,
      LARGEST_EXPONENT,
      MARGIN: { f32: MARGIN },
      ...Object.fromEntries([...MIDDLES].slice(0, 15).map((f32, i) => [`M${i}`, { f32 }])),
    };
    return this.context.pipeline(assembleShader('quantize_nf4', constants), 'quantize_nf4');
  }

  private allocate(blocks: number): Buffers {
    if (this.buffers && this.buffers.blocks >= blocks) return this.buffers;
    this.dispose();
    const make = (label: string, bytes: number, usage?: GPUBufferUsageFlags) =>
      this.context.createBuffer('batch', `quantise ${label}`, bytes, usage);
    this.buffers = {
      blocks,
      elements: make('elements', blocks * BLOCK * 4),
      packed: make('packed', (blocks * BLOCK) / 2),
      absmax: make('absmax', blocks * 4),
      readback: make(
        'readback',
        (blocks * BLOCK) / 2 + blocks * 4,
        GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      ),
    };
    return this.buffers;
  }

  /**
   * The self-test: random blocks of many magnitudes, and values on and beside every midpoint, must give the
   * CPU's bytes.
   */
  private async agrees(dtype: BlockDtype): Promise<boolean> {
    const blocks = 256;
    const elements = testElements(dtype, blocks);
    const [mine, expected] = [0, 1].map(() => ({
      absmax: new Float32Array(blocks),
      packed: new Uint8Array(blocks * 32),
    }));
    await this.run(dtype, elements, blocks, mine.absmax, 0, mine.packed, 0);
    quantizeBlocks(dtype, elements, blocks, expected.absmax, 0, expected.packed, 0);
    return (
      mine.packed.every((byte, i) => byte === expected.packed[i]) &&
      mine.absmax.every((value, i) => Object.is(value, expected.absmax[i]))
    );
  }
}

/** Quantises whole blocks in place of `quantizeBlocks`. */
export type BlockQuantizer = GpuQuantizer['quantize'];
