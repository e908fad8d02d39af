/**
 * Compiles, times and compares kernels on a device, over random data: for choosing the level and for `npm run
 * bench`.
 */
import type { BufferReference, Dispatch } from '../gpu/dispatch.ts';
import type { GpuContext, PipelineAndLayout } from '../gpu/gpuContext.ts';
import { declaredBindings, resolveBindings, type ResolvedBinding } from '../gpu/bindings.ts';
import { promptly } from '../gpu/promptly.ts';
import { readBack, readTimestamps } from '../gpu/readback.ts';
import { assembleShader } from '../gpu/shaders.ts';
import type { Graph } from '../graph/graph.ts';
import type { KernelTimer, Program } from './autotuner.ts';
import { BenchmarkBuffers } from './benchmarkBuffers.ts';

/** A GPU raises its clock only after it has worked for so long. */
const WARM_UP_MS = 300;
/** Workgroups of the kernel that compares two results. */
const COMPARING_GROUPS = 64;

interface CompiledProgram extends Program {
  kernels: { pipeline: PipelineAndLayout; bindings: ResolvedBinding[] }[];
}

interface Command {
  pipeline: GPUComputePipeline;
  group: GPUBindGroup;
  workgroups: Dispatch['workgroups'];
}

export class KernelBenchmark implements KernelTimer {
  private readonly buffers: BenchmarkBuffers;
  /** The outputs of the last reference, as it left them. */
  private expected: { reference: Program; copies: GPUBuffer[] } | null = null;

  private constructor(
    private readonly context: GpuContext,
    graph: Graph,
  ) {
    this.buffers = new BenchmarkBuffers(context, graph);
  }

  /**
   * Runs `use` with a benchmark for dispatches on the values of `graph`, then frees its buffers.
   * @throws where the device has too little memory or refuses a command
   */
  static async with<T>(
    context: GpuContext,
    graph: Graph,
    use: (benchmark: KernelBenchmark) => Promise<T>,
  ): Promise<T> {
    const benchmark = new KernelBenchmark(context, graph);
    let outOfMemory: GPUError | null;
    let result: T;
    context.device.pushErrorScope('out-of-memory');
    try {
      result = await use(benchmark);
    } finally {
      benchmark.dispose();
      outOfMemory = await context.device.popErrorScope();
    }
    context.check();
    if (outOfMemory) throw new Error(outOfMemory.message);
    return result;
  }

  async compile(dispatches: readonly Dispatch[]): Promise<CompiledProgram | null> {
    try {
      const kernels = await Promise.all(
        dispatches.map(async (dispatch) => {
          const code = codeOf(dispatch);
          return {
            pipeline: await this.context.pipeline(code, dispatch.shader),
            bindings: resolveBindings(dispatch, declaredBindings(code)),
          };
        }),
      );
      return { dispatches, kernels };
    } catch (error) {
      if (this.context.lost !== null) throw error;
      return null;
    }
  }

  /** Releases the compiled shaders of a program unless one of `kept` uses them too: they take memory. */
  forget({ dispatches }: Program, kept: readonly Program[] = []): void {
    const used = new Set(kept.flatMap((program) => program.dispatches.map(codeOf)));
    for (const code of dispatches.map(codeOf)) if (!used.has(code)) this.context.forgetPipeline(code);
  }

  async warmUp(program: Program): Promise<void> {
    const { device } = this.context;
    const commands = this.commands(program);
    const until = performance.now() + WARM_UP_MS;
    for (let repeats = 1; performance.now() < until;) {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (let i = 0; i < repeats; i++) encode(pass, commands);
      pass.end();
      const started = performance.now();
      device.queue.submit([encoder.finish()]);
      await promptly(device, device.queue.onSubmittedWorkDone());
      // The submissions grow until the GPU is hardly idle between them.
      if (performance.now() - started < WARM_UP_MS / 10) repeats *= 2;
    }
  }

  async time(timings: readonly { program: Program; repeats: number }[]): Promise<number[]> {
    const { device } = this.context;
    if (timings.length === 0) return [];
    const querySet = device.features.has('timestamp-query')
      ? device.createQuerySet({ type: 'timestamp', count: 2 * timings.length })
      : null;
    const times: number[] = [];
    for (const [i, { program, repeats }] of timings.entries()) {
      const commands = this.commands(program);
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass(
        querySet
          ? {
              timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 },
            }
          : {},
      );
      for (let repeat = 0; repeat < repeats; repeat++) encode(pass, commands);
      pass.end();
      const started = performance.now();
      device.queue.submit([encoder.finish()]);
      if (querySet) continue;
      await promptly(device, device.queue.onSubmittedWorkDone());
      times.push((performance.now() - started) / repeats);
    }
    if (!querySet) return times;
    const stamps = await readTimestamps(device, querySet, 2 * timings.length);
    querySet.destroy();
    return timings.map(({ repeats }, i) => Number(stamps[2 * i + 1] - stamps[2 * i]) / 1e6 / repeats);
  }

  async difference(
    program: Program,
    reference: Program,
    outputs: readonly BufferReference[],
  ): Promise<number> {
    if (this.expected?.reference !== reference) {
      for (const copy of this.expected?.copies ?? []) copy.destroy();
      this.run(reference, outputs);
      this.expected = {
        reference,
        copies: outputs.map((output) => this.buffers.copyOf(this.buffers.get(output))),
      };
    }
    this.run(program, outputs);
    let worst = 0;
    for (const [i, output] of outputs.entries())
      worst = Math.max(worst, await this.compare(this.buffers.get(output), this.expected.copies[i]));
    return worst;
  }

  /** Runs a program once, with the same data in its outputs whatever ran before: it may add to them. */
  private run(program: Program, outputs: readonly BufferReference[]): void {
    const commands = this.commands(program);
    const encoder = this.context.device.createCommandEncoder();
    for (const [i, output] of outputs.entries())
      this.buffers.fill(encoder, this.buffers.get(output), 'numbers', i);
    const pass = encoder.beginComputePass();
    encode(pass, commands);
    pass.end();
    this.context.device.queue.submit([encoder.finish()]);
  }

  private commands(program: Program): Command[] {
    const { dispatches, kernels } = program as CompiledProgram;
    // A larger buffer may replace a smaller one, so all buffers are made before the first is bound.
    for (const { bindings } of kernels) for (const { reference } of bindings) this.buffers.get(reference);
    return kernels.map(({ pipeline: { pipeline, layout }, bindings }, i) => ({
      pipeline,
      group: this.context.device.createBindGroup({
        layout,
        entries: bindings.map(({ binding, reference }) => ({
          binding,
          resource: { buffer: this.buffers.get(reference), size: this.buffers.bytesOf(reference) },
        })),
      }),
      workgroups: dispatches[i].workgroups,
    }));
  }

  private async compare(result: GPUBuffer, expected: GPUBuffer): Promise<number> {
    const { device } = this.context;
    const { pipeline, layout } = await this.context.pipeline(
      assembleShader('largest_difference', { COUNT: expected.size / 4, GROUPS: COMPARING_GROUPS }),
      'largest_difference',
    );
    const pairs = new Float32Array(
      await readBack(device, 8 * COMPARING_GROUPS, GPUBufferUsage.STORAGE, (encoder, out) => {
        const entries = [out, result, expected].map((buffer, binding) => ({
          binding,
          resource: { buffer, size: binding === 0 ? buffer.size : expected.size },
        }));
        const group = device.createBindGroup({ layout, entries });
        const pass = encoder.beginComputePass();
        encode(pass, [{ pipeline, group, workgroups: [COMPARING_GROUPS, 1, 1] }]);
        pass.end();
      }),
    );
    const most = (which: number) =>
      pairs.reduce((largest, value, i) => (i % 2 === which ? Math.max(largest, value) : largest), 0);
    const [difference, largest] = [most(0), most(1)];
    return largest > 0 && difference < 1e38 ? difference / largest : difference === 0 ? 0 : Infinity;
  }

  private dispose(): void {
    for (const copy of this.expected?.copies ?? []) copy.destroy();
    this.buffers.dispose();
  }
}

function codeOf({ shader, constants }: Dispatch): string {
  return assembleShader(shader, constants);
}

function encode(pass: GPUComputePassEncoder, commands: readonly Command[]): void {
  for (const { pipeline, group, workgroups } of commands) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...workgroups);
  }
}
