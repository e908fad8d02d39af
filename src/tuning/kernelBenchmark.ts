/** One work on the device with random data of its own: its ways compiled, timed, and their results compared. */
import { isNf4, tensorPartBytes } from '../formats/tensors.ts';
import type { GpuContext, PipelineAndLayout } from '../gpu/gpuContext.ts';
import type { BufferReference, Dispatch, KernelSettings, KernelConfig } from '../gpu/dispatch.ts';
import { readBack, readTimestamps } from '../gpu/readback.ts';
import { declaredBindings, resolveBindings } from '../gpu/bindings.ts';
import { assembleShader } from '../gpu/shaders.ts';
import { valueBytes, type Value } from '../graph/value.ts';
import { weightSlices } from '../ops/weights/weightSlices.ts';
import { QUANTIZATION_TABLE_BYTES, quantizationTables } from '../quant/nf4.ts';
import { PATTERN_BYTES, patternData, type Pattern } from './benchmarkData.ts';
import type { TuningTask } from './tuningProblems.ts';
import type { KernelBenchmark, Timing } from './autotuner.ts';

/** So long a GPU needs to raise its clock. */
const WARM_UP_MS = 400;
/** Workgroups of a comparison. */
const COMPARING_GROUPS = 64;

interface Command {
  pipeline: GPUComputePipeline;
  group: GPUBindGroup;
  workgroups: Dispatch['workgroups'];
}

export class DeviceBenchmark implements KernelBenchmark {
  private readonly buffers = new Map<string, GPUBuffer>();
  private readonly patterns = new Map<Pattern, GPUBuffer>();
  /** What each way dispatches, by its name. */
  private readonly prepared = new Map<string, Prepared[]>();
  private readonly values: ReadonlyMap<number, Value>;
  /** Copies of the outputs as the reference left them. */
  private expected: GPUBuffer[] | null = null;
  private memoryError: GPUError | null = null;

  private constructor(
    private readonly context: GpuContext,
    private readonly task: TuningTask,
    private readonly settings: KernelSettings,
  ) {
    this.values = new Map(task.graph.values.map((value) => [value.id, value]));
  }

  /** Runs `use` with a stand and frees it. @param settings at the highest level whose ways are tried @throws where the device has no memory for it or refuses a command */
  static async with<T>(
    context: GpuContext,
    task: TuningTask,
    settings: KernelSettings,
    use: (benchmark: KernelBenchmark) => Promise<T>,
  ): Promise<T> {
    const benchmark = new DeviceBenchmark(context, task, settings);
    context.device.pushErrorScope('out-of-memory');
    let result: T;
    try {
      result = await use(benchmark);
    } finally {
      benchmark.dispose();
      benchmark.memoryError = await context.device.popErrorScope();
    }
    context.check();
    if (benchmark.memoryError) throw new Error(benchmark.memoryError.message);
    return result;
  }

  async prepare(configs: readonly KernelConfig[]): Promise<KernelConfig[]> {
    const compiled = await Promise.all(
      configs.map(async (config) => {
        try {
          this.prepared.set(config.name, await compile(this.context, this.task, config, this.settings));
          return true;
        } catch (error) {
          if (this.context.lost !== null) throw error;
          return false;
        }
      }),
    );
    return configs.filter((_, i) => compiled[i]);
  }

  forgetAllBut(names: readonly string[]): void {
    const kept = new Set(names.flatMap((name) => this.prepared.get(name) ?? []).map(({ code }) => code));
    for (const { code } of [...this.prepared.values()].flat())
      if (!kept.has(code)) this.context.forgetPipeline(code);
  }

  async warmUp(config: KernelConfig): Promise<void> {
    const { device } = this.context;
    const commands = this.commands(config);
    const until = performance.now() + WARM_UP_MS;
    for (let repeats = 1; performance.now() < until;) {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (let turn = 0; turn < repeats; turn++) encode(pass, commands);
      pass.end();
      const started = performance.now();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      // Pieces long enough that the GPU is not idle between them.
      if (performance.now() - started < WARM_UP_MS / 10) repeats *= 2;
    }
  }

  async time(timings: readonly Timing[]): Promise<number[]> {
    const { device } = this.context;
    const byTimestamps = device.features.has('timestamp-query') && timings.length > 0;
    const querySet = byTimestamps
      ? device.createQuerySet({ type: 'timestamp', count: 2 * timings.length })
      : null;
    const times: number[] = [];
    for (const [i, { config, repeats }] of timings.entries()) {
      const commands = this.commands(config);
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass(
        querySet
          ? {
              timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 },
            }
          : {},
      );
      for (let turn = 0; turn < repeats; turn++) encode(pass, commands);
      pass.end();
      const started = performance.now();
      device.queue.submit([encoder.finish()]);
      if (querySet) continue;
      await device.queue.onSubmittedWorkDone();
      times.push((performance.now() - started) / repeats);
    }
    if (!querySet) return times;
    const stamps = await readTimestamps(device, querySet, 2 * timings.length);
    querySet.destroy();
    return timings.map(({ repeats }, i) => Number(stamps[2 * i + 1] - stamps[2 * i]) / 1e6 / repeats);
  }

  async difference(config: KernelConfig, reference: KernelConfig): Promise<number> {
    const { outputs } = this.task.tuningProblem;
    if (!this.expected) {
      this.run(reference);
      this.expected = outputs.map((output) => this.copyOf(this.buffer(output)));
    }
    this.run(config);
    let worst = 0;
    for (const [i, output] of outputs.entries())
      worst = Math.max(worst, await this.compare(this.buffer(output), this.expected[i]));
    return worst;
  }

  /** Once, on the data that every way is given. */
  private run(config: KernelConfig): void {
    const encoder = this.context.device.createCommandEncoder();
    for (const [i, output] of this.task.tuningProblem.outputs.entries())
      this.fill(encoder, this.buffer(output), 'numbers', i);
    const pass = encoder.beginComputePass();
    encode(pass, this.commands(config));
    pass.end();
    this.context.device.queue.submit([encoder.finish()]);
  }

  private commands(config: KernelConfig): Command[] {
    const prepared = this.prepared.get(config.name)!;
    // A larger buffer takes the place of a smaller one, so all are there before the first is bound.
    for (const { dispatch } of prepared)
      for (const reference of Object.values(dispatch.bindings)) this.buffer(reference);
    return prepared.map(({ dispatch, code, pipeline: { pipeline, layout } }) => {
      const entries = resolveBindings(dispatch, declaredBindings(code)).map(({ binding, reference }) => ({
        binding,
        resource: { buffer: this.buffer(reference), size: this.bytesOf(reference) },
      }));
      return {
        pipeline,
        group: this.context.device.createBindGroup({ layout, entries }),
        workgroups: dispatch.workgroups,
      };
    });
  }

  private buffer(reference: BufferReference): GPUBuffer {
    const bytes = this.bytesOf(reference);
    const key = keyOf(reference);
    const before = this.buffers.get(key);
    if (before && before.size >= bytes) return before;
    before?.destroy();
    const buffer = this.newBuffer(bytes);
    this.buffers.set(key, buffer);
    const { device } = this.context;
    if (reference.type === 'quantizationTables') device.queue.writeBuffer(buffer, 0, quantizationTables());
    else if (reference.type !== 'scratch') {
      const encoder = device.createCommandEncoder();
      this.fill(encoder, buffer, this.patternOf(reference), this.buffers.size);
      device.queue.submit([encoder.finish()]);
    }
    return buffer;
  }

  private bytesOf(reference: BufferReference): number {
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
        const { rows } = weightSlices({ shape, kind }, this.settings.maxBindingBytes)[reference.slice];
        return (
          Math.ceil(
            tensorPartBytes({ name, shape: [rows, ...shape.slice(1)], kind: kind! })[reference.part]! / 4,
          ) * 4
        );
      }
    }
  }

  private patternOf(reference: BufferReference): Pattern {
    if (reference.type !== 'weight' && reference.type !== 'weights') return 'numbers';
    const { kind } = this.values.get(reference.type === 'weight' ? reference.id : reference.ids[0])!;
    if (isNf4(kind)) return reference.part === 'packed' || reference.part === 'absmax_q' ? 'bytes' : 'scales';
    return kind === 'f32' ? 'numbers' : kind === 'bf16' ? 'bf16' : 'f16';
  }

  /** Fills a buffer with a pattern, from a place of its own. */
  private fill(encoder: GPUCommandEncoder, buffer: GPUBuffer, pattern: Pattern, seed: number): void {
    let source = this.patterns.get(pattern);
    if (!source) {
      this.patterns.set(pattern, (source = this.newBuffer(PATTERN_BYTES)));
      this.context.device.queue.writeBuffer(source, 0, patternData(pattern));
    }
    let from = (4 * Math.imul(seed, 9973)) % PATTERN_BYTES;
    for (let at = 0; at < buffer.size; from = 0) {
      const bytes = Math.min(PATTERN_BYTES - from, buffer.size - at);
      encoder.copyBufferToBuffer(source, from, buffer, at, bytes);
      at += bytes;
    }
  }

  private copyOf(source: GPUBuffer): GPUBuffer {
    const copy = this.newBuffer(source.size);
    this.buffers.set(`expected ${this.buffers.size}`, copy);
    const encoder = this.context.device.createCommandEncoder();
    encoder.copyBufferToBuffer(source, 0, copy, 0, source.size);
    this.context.device.queue.submit([encoder.finish()]);
    return copy;
  }

  private async compare(result: GPUBuffer, expected: GPUBuffer): Promise<number> {
    const { pipeline, layout } = await this.context.pipeline(
      assembleShader('largest_difference', { COUNT: expected.size / 4, GROUPS: COMPARING_GROUPS }),
      'largest_difference',
    );
    const pairs = new Float32Array(
      await readBack(this.context.device, 8 * COMPARING_GROUPS, GPUBufferUsage.STORAGE, (encoder, out) => {
        const entries = [out, result, expected].map((buffer, binding) => ({
          binding,
          resource: { buffer, size: binding === 0 ? buffer.size : expected.size },
        }));
        const pass = encoder.beginComputePass();
        encode(pass, [
          {
            pipeline,
            group: this.context.device.createBindGroup({ layout, entries }),
            workgroups: [COMPARING_GROUPS, 1, 1],
          },
        ]);
        pass.end();
      }),
    );
    const most = (which: number) =>
      pairs.reduce((largest, value, i) => (i % 2 === which ? Math.max(largest, value) : largest), 0);
    return most(1) > 0 && most(0) < 1e38 ? most(0) / most(1) : most(0) === 0 ? 0 : Infinity;
  }

  private newBuffer(size: number): GPUBuffer {
    return this.context.device.createBuffer({
      label: 'kernel measurement',
      size,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
  }

  private dispose(): void {
    for (const buffer of [...this.buffers.values(), ...this.patterns.values()]) buffer.destroy();
  }
}

interface Prepared {
  dispatch: Dispatch;
  code: string;
  pipeline: PipelineAndLayout;
}

/** What a way dispatches, compiled. @throws where the adapter takes one of its shaders not */
async function compile(
  context: GpuContext,
  { tuningProblem }: TuningTask,
  config: KernelConfig,
  settings: KernelSettings,
): Promise<Prepared[]> {
  return Promise.all(
    tuningProblem.dispatches(config, settings).map(async (dispatch) => {
      const code = assembleShader(dispatch.shader, dispatch.constants);
      return { dispatch, code, pipeline: await context.pipeline(code, dispatch.shader) };
    }),
  );
}

function encode(pass: GPUComputePassEncoder, commands: readonly Command[]): void {
  for (const { pipeline, group, workgroups } of commands) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...workgroups);
  }
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
