/** Times whole training steps at the shapes of real models, with random weights. */
import { packDocuments } from '../../src/data/packing.ts';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import type { KernelLevel } from '../../src/gpu/dispatch.ts';
import type { Checkpointing } from '../../src/plan/autodiff.ts';
import { idleShare, type KernelTime } from '../../src/plan/profile.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { randomModel, SHAPES } from '../../src/verify/randomModel.ts';
import { LORA, median, takeSteps } from '../../src/engine/pipelinedSteps.ts';
import { warmUp, type BenchHost, type BenchOptions } from './measuring.ts';

export interface StepBench {
  model: string;
  level: KernelLevel;
  documents: string;
  gradientCheckpointing: boolean | Checkpointing;
  activationDtype: 'float32' | 'e6m9';
  tokensPerSecond: number;
  stepMs: number;
  /**
   * GPU time of a micro-batch's kernels, each in a pass of its own; null where the adapter has no timestamps.
   */
  gpuMs: number | null;
  /**
   * Share of the time in which no pass ran, from the first pass of some steps to the last; null without
   * timestamps.
   */
  idle: number | null;
  /** Milliseconds of JavaScript for one micro-batch's plan, and of the driver in submit. */
  encodeMs: number;
  submitMs: number;
  dispatches: number;
  peakBytes: number;
  /** The loss of the first step, for comparison between levels. */
  loss: number;
  /** GPU time by kernel, the longest first. */
  kernels: KernelTime[];
}

export interface StepShape {
  model: string;
  /** How many documents make one micro-batch, which is one step, and how many tokens each has. */
  count: number;
  length: number;
  level: KernelLevel;
  memory: StepMemory;
}

type StepMemory = Pick<StepBench, 'gradientCheckpointing' | 'activationDtype'>;

/** Models, and documents as [count, length]. The last model is measured with less recomputed, too. */
const SIZES = {
  // prettier-ignore
  tiny: { models: ['2 layers of width 32'], shapes: [[1, 64], [4, 64]] },
  // prettier-ignore
  real: { models: ['SmolLM2-135M', 'Qwen2.5-0.5B', 'Llama-3.2-1B'], shapes: [[1, 512], [4, 512], [4, 1024]] },
} as const;

const MEMORY: Record<'tiny' | 'real', StepMemory[]> = {
  tiny: [
    { gradientCheckpointing: true, activationDtype: 'float32' },
    { gradientCheckpointing: false, activationDtype: 'float32' },
  ],
  real: [
    { gradientCheckpointing: true, activationDtype: 'float32' },
    { gradientCheckpointing: true, activationDtype: 'e6m9' },
    { gradientCheckpointing: 'cheap', activationDtype: 'e6m9' },
    { gradientCheckpointing: 'cheap', activationDtype: 'float32' },
    { gradientCheckpointing: false, activationDtype: 'float32' },
  ],
};

/** What is recomputed and how the rest is kept, in words. */
export function memoryText({ gradientCheckpointing: what, activationDtype }: StepMemory): string {
  const recomputed =
    what === false ? 'nothing' : what === 'cheap' ? 'norms and gates' : what === true ? 'layers' : what;
  return `${recomputed} recomputed${activationDtype === 'float32' ? '' : ', the rest in 16 bits'}`;
}

export async function benchSteps(
  context: GpuContext,
  host: BenchHost,
  options: BenchOptions,
): Promise<StepBench[]> {
  const rows: StepBench[] = [];
  const { models, shapes } = SIZES[options.size];
  const wanted = options.models ?? models;
  for (const model of wanted) {
    if (!(model in SHAPES)) throw new Error(`--model ${model} is none of ${Object.keys(SHAPES).join(', ')}`);
    for (const level of context.levels.filter((each) => !options.levels || options.levels.includes(each))) {
      for (const [count, length] of shapes) {
        for (const memory of model === wanted.at(-1) ? MEMORY[options.size] : MEMORY.tiny.slice(0, 1)) {
          const row = await benchStep(context, { model, count, length, level, memory });
          const idle = row.idle === null ? '' : `, GPU idle ${(100 * row.idle).toFixed(1)} %`;
          host.log(
            `${model} ${level} ${row.documents}, ${memoryText(row)}: ${row.tokensPerSecond.toFixed(0)} tokens/s${idle}`,
          );
          rows.push(row);
        }
      }
    }
  }
  return rows;
}

/** About how long steps are timed: 2 to 6 of them, after a first one that is not pipelined. */
const TIMED_MS = 2500;

/**
 * About how long the GPU is watched for idle times: long enough that one garbage collection does not decide.
 */
const IDLE_MS = 1000;

export async function benchStep(
  context: GpuContext,
  { model, count, length, level, memory }: StepShape,
): Promise<StepBench> {
  context.settings.level = level;
  const weights = randomModel(SHAPES[model]);
  const tokens = count * length;
  const engine = await WebGpuEngine.create(context, {
    weights,
    lora: LORA,
    tokensPerMicroBatch: tokens,
    ...memory,
    seed: 0,
  });
  const vocabulary = SHAPES[model].vocab_size as number;
  const inputIds = Array.from({ length }, (_, i) => (i * 37) % vocabulary);
  const documents = Array.from({ length: count }, () => ({ inputIds, labels: inputIds }));
  const microBatches = packDocuments(documents, { tokens, padTokenId: 0 });
  let number = 0;
  const step = () =>
    engine.trainStep({ microBatches, step: number++, learningRate: 1e-5, weightDecay: 0, maxGradNorm: 1 });
  const { loss } = await step();
  await warmUp(step);
  const [one] = await takeSteps(engine, 1, step);
  const stepMs = median(
    (await takeSteps(engine, 1 + Math.max(2, Math.min(6, Math.ceil(TIMED_MS / one))), step)).slice(1),
  );
  const hasTimestamps = context.device.features.has('timestamp-query');
  const spans = hasTimestamps
    ? await engine.timing.passes(async () => {
        await takeSteps(engine, Math.max(2, Math.min(40, Math.ceil(IDLE_MS / stepMs))), step);
      })
    : [];
  const encodes = [];
  for (let i = 0; i < (stepMs < 200 ? 7 : 3); i++) encodes.push(await engine.timing.encode());
  const kernels = hasTimestamps ? await engine.timing.kernels() : [];
  const { total } = engine.memory;
  engine.dispose();
  context.settings.level = 'plain';
  return {
    model,
    level,
    documents: `${count}×${length}`,
    ...memory,
    tokensPerSecond: (tokens / stepMs) * 1000,
    stepMs,
    gpuMs: kernels.length > 0 ? kernels.reduce((sum, { ms }) => sum + ms, 0) : null,
    idle: spans.length > 0 ? idleShare(spans) : null,
    encodeMs: median(encodes.map(({ encodeMs }) => encodeMs)),
    submitMs: median(encodes.map(({ submitMs }) => submitMs)),
    dispatches: encodes[0].dispatches,
    peakBytes: total,
    loss,
    kernels,
  };
}
