/** Whole training steps at the shapes of real models, with random weights. */
import { packDocuments } from '../../src/data/packing.ts';
import type { GpuContext } from '../../src/gpu/context.ts';
import { WebGpuEngine } from '../../src/training/webgpuEngine.ts';
import { randomModel, SHAPES } from '../lib/randomModel.ts';
import { median } from './encode.ts';

export interface StepBench {
  model: string;
  documents: string;
  tokensPerSecond: number;
  stepMs: number;
  /** JavaScript of one micro-batch's plan. */
  encodeMs: number;
  peakBytes: number;
}

/** @param count documents of @param length tokens make one step and one micro-batch */
export async function benchStep(context: GpuContext, model: string, count: number, length: number, gradientCheckpointing = true): Promise<StepBench> {
  const weights = randomModel(SHAPES[model]);
  const tokens = count * length;
  const lora = { r: 16, lora_alpha: 32, lora_dropout: 0, target_modules: 'all-linear' as const, use_rslora: false, use_dora: false };
  const engine = await WebGpuEngine.create(context, { weights, lora, tokensPerMicroBatch: tokens, gradientCheckpointing, seed: 0 });
  const inputIds = Array.from({ length }, (_, i) => (i * 37) % 40000);
  const documents = Array.from({ length: count }, () => ({ inputIds, labels: inputIds }));
  const microBatches = packDocuments(documents, { tokens, padTokenId: 0 });
  const times: number[] = [];
  for (let step = 0; step < 8; step++) {
    const started = performance.now();
    await engine.trainStep({ microBatches, step, learningRate: 1e-5, weightDecay: 0, maxGradNorm: 1 });
    if (step > 2) times.push(performance.now() - started);
  }
  const stepMs = median(times);
  const { encodeMs } = await engine.measureEncode();
  const { total } = engine.memory;
  engine.dispose();
  return { model, documents: `${count}×${length}`, tokensPerSecond: (tokens / stepMs) * 1000, stepMs, encodeMs, peakBytes: total };
}
