/**
 * Runs a small graph on the GPU with a buffer for each value outside the arenas: for checks of ops and plans,
 * not for training.
 */
import type { GpuContext } from '../gpu/gpuContext.ts';
import { promptly } from '../gpu/promptly.ts';
import type { Graph } from '../graph/graph.ts';
import { valueBytes, type Value } from '../graph/value.ts';
import { PlanExecutor, type BufferRange } from '../plan/planExecutor.ts';
import { weightSlices } from '../ops/weights/weightSlices.ts';
import { makePlan } from '../plan/plan.ts';
import { QUANTIZATION_TABLE_BYTES, quantizationTables } from '../quant/nf4.ts';

export type Data = Float32Array | Uint32Array | Int32Array | Uint8Array;

export class GraphRunner {
  private constructor(
    private readonly context: GpuContext,
    private readonly executor: PlanExecutor,
    private readonly buffers: Map<string, GPUBuffer>,
    private readonly arenas: readonly GPUBuffer[],
  ) {}

  /** @param weights parts of each weight by name */
  static async create(
    context: GpuContext,
    graph: Graph,
    weights: Record<string, Record<string, Uint8Array>> = {},
  ): Promise<GraphRunner> {
    const plan = makePlan('test', graph, context.settings, context.limits);
    const buffers = new Map<string, GPUBuffer>();
    const make = (key: string, bytes: number, data?: Data) => {
      const buffer = context.createBuffer('batch', key, bytes);
      if (data) write(context, buffer, data);
      buffers.set(key, buffer);
    };
    /** For contiguous weights: the key of their buffer and the range in it, by the key of the weight. */
    const contiguous = new Map<string, { key: string; offset: number; size: number }>();
    for (const { names, parts } of plan.weightGroups) {
      for (const [part, { startBytes, bytes }] of Object.entries(parts)) {
        const key = `weights ${names.join(' ')} ${part}`;
        const whole = new Uint8Array(bytes);
        names.forEach((name, g) => {
          whole.set(weights[name][part], startBytes[g]);
          contiguous.set(`weight ${name} ${part} 0`, {
            key,
            offset: startBytes[g],
            size: Math.ceil(weights[name][part].byteLength / 4) * 4,
          });
        });
        make(key, bytes, whole);
      }
    }
    const grouped = new Set(plan.weightGroups.flatMap(({ names }) => names));
    for (const value of plan.external) {
      if (value.role === 'weight' && grouped.has(value.name)) continue;
      if (value.role === 'weight') {
        const slices = weightSlices(value, context.settings.maxBindingBytes);
        for (const [part, bytes] of Object.entries(weights[value.name])) {
          const rowBytes = bytes.byteLength / value.shape[0];
          for (const [slice, { first, rows }] of slices.entries()) {
            const piece =
              slices.length === 1 ? bytes : bytes.subarray(first * rowBytes, (first + rows) * rowBytes);
            make(`weight ${value.name} ${part} ${slice}`, piece.byteLength, piece);
          }
        }
      } else make(`${value.role} ${value.name}`, valueBytes(value), value.data);
    }
    make('tables', QUANTIZATION_TABLE_BYTES, quantizationTables());
    const arenas = plan.arenaBytes.map((bytes) => context.createBuffer('activations', 'arena', bytes));
    const whole = (key: string): BufferRange => {
      const buffer = buffers.get(key)!;
      return { buffer, offset: 0, size: buffer.size };
    };
    const executor = await PlanExecutor.create(context, plan, arenas, {
      value: (value: Value, offset, size) => ({
        buffer: whole(`${value.role} ${value.name}`).buffer,
        offset,
        size,
      }),
      weight: (value, part, slice) => {
        const key = `weight ${value.name} ${part} ${slice}`;
        const placed = contiguous.get(key);
        return placed
          ? { buffer: buffers.get(placed.key)!, offset: placed.offset, size: placed.size }
          : whole(key);
      },
      weights: (values, part) => whole(`weights ${values.map(({ name }) => name).join(' ')} ${part}`),
      quantizationTables: () => whole('tables'),
    });
    return new GraphRunner(context, executor, buffers, arenas);
  }

  /** Writes the given values, zeroes the gradients and replays once. */
  async run(values: Record<string, Data>): Promise<void> {
    const { device } = this.context;
    const encoder = device.createCommandEncoder();
    for (const [key, buffer] of this.buffers) {
      if (key.startsWith('gradient ')) encoder.clearBuffer(buffer);
      const name = /^(?:input|parameter|state) (.*)$/.exec(key)?.[1];
      if (name !== undefined && values[name]) write(this.context, buffer, values[name]);
    }
    const pass = encoder.beginComputePass();
    this.executor.encode(pass);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await promptly(device, device.queue.onSubmittedWorkDone());
    this.context.check();
  }

  /** @returns milliseconds of `repeats` replays in one submission */
  async time(repeats: number): Promise<number> {
    const { device } = this.context;
    const started = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let i = 0; i < repeats; i++) this.executor.encode(pass);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await promptly(device, device.queue.onSubmittedWorkDone());
    this.context.check();
    return performance.now() - started;
  }

  /** @returns the contents of an 'output', 'gradient', 'state' or 'parameter' */
  async read(role: string, name: string): Promise<Float32Array> {
    const { device } = this.context;
    const source = this.buffers.get(`${role} ${name}`);
    if (!source) throw new Error(`nothing was allocated for ${role} ${name}`);
    const staging = device.createBuffer({
      size: source.size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(source, 0, staging, 0, source.size);
    device.queue.submit([encoder.finish()]);
    await promptly(device, staging.mapAsync(GPUMapMode.READ));
    const copy = new Float32Array(staging.getMappedRange().slice(0));
    staging.destroy();
    this.context.check();
    return copy;
  }

  dispose(): void {
    for (const buffer of [...this.buffers.values(), ...this.arenas]) this.context.destroyBuffer(buffer);
  }
}

function write(context: GpuContext, buffer: GPUBuffer, data: Data): void {
  const bytes = new Uint8Array(Math.ceil(data.byteLength / 4) * 4);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  context.device.queue.writeBuffer(buffer, 0, bytes);
}
