/** Times single kernels at real shapes, by the configs that the heuristic takes. */
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import type { KernelLevel } from '../../src/gpu/dispatch.ts';
import { attention } from '../../src/ops/attention/attention.ts';
import { Graph } from '../../src/graph/graph.ts';
import { linear, linearDxOp } from '../../src/ops/matmul/linear.ts';
import { documentFeeds } from '../../src/verify/caseBuilder.ts';
import { GraphRunner, type Data } from '../../src/verify/graphRunner.ts';
import { median } from '../../src/engine/pipelinedSteps.ts';
import { warmUp, type BenchHost, type BenchOptions } from './measuring.ts';

export interface KernelBench {
  kernel: string;
  level: KernelLevel;
  shape: string;
  ms: number;
  gflops: number;
}

/** The size 'tiny' divides all sides by this. */
const TINY = 8;

export async function benchKernels(
  context: GpuContext,
  host: BenchHost,
  options: BenchOptions,
): Promise<KernelBench[]> {
  const rows: KernelBench[] = [];
  for (const level of context.levels.filter((each) => !options.levels || options.levels.includes(each))) {
    rows.push(...(await kernelsAt(context, level, options.size === 'tiny' ? TINY : 1)));
    host.log(`kernels at ${level}: done`);
  }
  return rows;
}

async function kernelsAt(context: GpuContext, level: KernelLevel, scale: number): Promise<KernelBench[]> {
  context.settings.level = level;
  const rows: KernelBench[] = [];
  for (const [tokens, width, out] of [
    [2048, 2048, 8192],
    [512, 2048, 8192],
    [512, 8192, 2048],
  ].map((shape) => shape.map((size) => size / scale))) {
    for (const kind of ['f32', 'bf16', 'nf4'] as const) {
      const elements = width * out;
      const parts: Record<string, Uint8Array> =
        kind === 'nf4'
          ? {
              packed: new Uint8Array(elements / 2).fill(0x3a),
              absmax_q: new Uint8Array(elements / 64).fill(9),
              nested: new Uint8Array(new Float32Array(1 + Math.ceil(elements / 16384)).fill(0.1).buffer),
            }
          : {
              data:
                kind === 'f32'
                  ? new Uint8Array(new Float32Array(elements).fill(0.01).buffer)
                  : new Uint8Array(new Uint16Array(elements).fill(0x3c23).buffer),
            };
      for (const backward of [false, true]) {
        const graph = new Graph(false);
        const weight = graph.weight('w', [out, width], kind);
        const input = graph.input('x', [tokens, backward ? out : width], 'f32');
        graph.output(
          'y',
          backward ? graph.append(linearDxOp, { dy: input, weight })[0] : linear(graph, input, weight),
        );
        const x = new Float32Array(input.shape[0] * input.shape[1]).fill(0.5);
        rows.push(
          await timed(
            context,
            graph,
            { w: parts },
            { x },
            `linear ${kind}${backward ? ' dx' : ''}`,
            `${tokens}×${width}×${out}`,
            2 * tokens * width * out,
          ),
        );
      }
    }
  }
  const tokens = 2048 / scale;
  const [heads, keyHeads, headDim] = [32 / scale, 8 / scale, 64].map((size) => Math.max(1, size));
  const graph = new Graph(false);
  const documents = {
    start: graph.input('documentStart', [tokens], 'u32'),
    end: graph.input('documentEnd', [tokens], 'u32'),
  };
  const [q, k, v] = [heads, keyHeads, keyHeads].map((count, i) =>
    graph.input('qkv'[i], [tokens, count * headDim], 'f32'),
  );
  graph.output('o', attention(graph, q, k, v, documents, { heads, keyHeads, headDim, scale: 1 / 8 }));
  const of = (count: number) => new Float32Array(tokens * count * headDim).fill(0.1);
  const feeds = {
    ...documentFeeds([tokens / 2, tokens / 2]),
    q: of(heads),
    k: of(keyHeads),
    v: of(keyHeads),
  };
  rows.push(
    await timed(
      context,
      graph,
      {},
      feeds,
      'attention',
      `2 documents of ${tokens / 2}, ${heads} heads of ${headDim}`,
      (4 * 2 * (tokens / 2) ** 2 * heads * headDim) / 2,
    ),
  );
  context.settings.level = 'plain';
  return rows;
}

/** Least milliseconds of one measurement, so that submitting does not count. */
const TIMED_MS = 50;

async function timed(
  context: GpuContext,
  graph: Graph,
  weights: Record<string, Record<string, Uint8Array>>,
  feeds: Record<string, Data>,
  kernel: string,
  shape: string,
  flops: number,
): Promise<KernelBench> {
  const runner = await GraphRunner.create(context, graph, weights);
  await runner.run(feeds);
  await warmUp(() => runner.time(4));
  const repeats = Math.max(2, Math.ceil((2 * TIMED_MS) / (await runner.time(2))));
  const times: number[] = [];
  for (let i = 0; i < 5; i++) times.push((await runner.time(repeats)) / repeats);
  runner.dispose();
  const ms = median(times);
  return { kernel, level: context.settings.level, shape, ms, gflops: flops / ms / 1e6 };
}
