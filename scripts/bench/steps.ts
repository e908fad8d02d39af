/** Whole training steps at the shapes of real models, with random weights. */
import { packDocuments } from '../../src/data/packing.ts';
import type { GpuContext } from '../../src/gpu/context.ts';
import type { KernelLevel } from '../../src/gpu/dispatch.ts';
import type { KernelTime } from '../../src/plan/profile.ts';
import { WebGpuEngine } from '../../src/training/webgpuEngine.ts';
import { randomModel, SHAPES } from '../lib/randomModel.ts';
import { median } from './encode.ts';

export interface StepBench {
  model: string;
  level: KernelLevel;
  documents: string;
  gradientCheckpointing: boolean;
  tokensPerSecond: number;
  stepMs: number;
  /** GPU time of the micro-batch's kernels; null where the adapter has no timestamps. */
  gpuMs: number | null;
  /** JavaScript of one micro-batch's plan, and the driver's share of submitting it. */
  encodeMs: number;
  submitMs: number;
  dispatches: number;
  peakBytes: number;
  /** Of the first step, for comparison between levels. */
  loss: number;
  /** The kernels that take longest. */
  kernels: KernelTime[];
}

export interface StepShape {
  model: string;
  /** Documents of one micro-batch, which is one step. */
  count: number;
  length: number;
  level: KernelLevel;
  gradientCheckpointing: boolean;
}

export async function benchStep(context: GpuContext, { model, count, length, level, gradientCheckpointing }: StepShape): Promise<StepBench> {
  context.settings.level = level;
  const weights = randomModel(SHAPES[model]);
  const tokens = count * length;
  const lora = { r: 16, lora_alpha: 32, lora_dropout: 0, target_modules: 'all-linear' as const, use_rslora: false, use_dora: false };
  const engine = await WebGpuEngine.create(context, { weights, lora, tokensPerMicroBatch: tokens, gradientCheckpointing, seed: 0 });
  const inputIds = Array.from({ length }, (_, i) => (i * 37) % 40000);
  const documents = Array.from({ length: count }, () => ({ inputIds, labels: inputIds }));
  const microBatches = packDocuments(documents, { tokens, padTokenId: 0 });
  const times: number[] = [];
  let first = NaN;
  for (let step = 0; step < 8; step++) {
    const started = performance.now();
    const { loss } = await engine.trainStep({ microBatches, step, learningRate: 1e-5, weightDecay: 0, maxGradNorm: 1 });
    if (step === 0) first = loss;
    if (step > 2) times.push(performance.now() - started);
  }
  const stepMs = median(times);
  const encodes = [];
  for (let i = 0; i < 7; i++) encodes.push(await engine.measureEncode());
  const kernels = context.device.features.has('timestamp-query') ? await engine.profile() : [];
  const { total } = engine.memory;
  engine.dispose();
  context.settings.level = 'plain';
  return {
    model,
    level,
    documents: `${count}×${length}`,
    gradientCheckpointing,
    tokensPerSecond: (tokens / stepMs) * 1000,
    stepMs,
    gpuMs: kernels.length > 0 ? kernels.reduce((sum, { ms }) => sum + ms, 0) : null,
    encodeMs: median(encodes.map(({ encodeMs }) => encodeMs)),
    submitMs: median(encodes.map(({ submitMs }) => submitMs)),
    dispatches: encodes[0].dispatches,
    peakBytes: total,
    loss: first,
    kernels: kernels.slice(0, 40),
  };
}
