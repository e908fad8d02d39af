/**
 * The page's "Measure this GPU" and `npm run bench -- --markdown`: training speed at the shapes of three
 * models, at every level of arithmetic, in about half a minute. Compiling kernels takes most of a first time.
 */
import { packDocuments } from '../data/packing.ts';
import type { WeightSource } from '../formats/tensors.ts';
import type { KernelLevel } from '../gpu/dispatch.ts';
import { report } from '../lib/errorLog.ts';
import { isDeviceLost, messageOf } from '../lib/errors.ts';
import { randomModel, SHAPES } from '../verify/randomModel.ts';
import type { Engine, EngineOptions } from './engine.ts';
import { LORA, median, takeSteps } from './pipelinedSteps.ts';

/** Shapes of real models, the smallest first. */
export const SPEED_MODELS = ['SmolLM2-135M', 'Qwen2.5-0.5B', 'Llama-3.2-1B'] as const;
/** One document of 512 tokens a step. */
const TOKENS = 512;
/** What a software adapter can run; its figures say nothing of real models. */
export const TINY = { models: ['2 layers of width 32'], tokens: 64 };
/** No measurement begins after this; what is left is reported as not measured. */
const BUDGET_MS = 40_000;
/** Steps before any that is timed: a GPU raises its clock only then. */
const WARM_MS = 500;
const TIMED_MS = 1500;

export interface SpeedRow {
  model: string;
  level: KernelLevel;
  /** Of steps without recomputation; null where it was not measured. */
  tokensPerSecond: number | null;
  /** GPU memory as it was planned, which is what was allocated; null where it was not measured. */
  bytes: number | null;
  /** Why it was not measured; null where it was. */
  reason: string | null;
}

export interface GpuSpeed {
  /** The adapter in words. */
  adapter: string;
  rows: SpeedRow[];
  seconds: number;
}

export interface SpeedRequest {
  adapter: string;
  levels: readonly KernelLevel[];
  /** Creates the engine to measure; the one before may be disposed of. */
  create(options: EngineOptions): Promise<Engine>;
  /** Receives what is measured now, the number of measurements done and of all. */
  onProgress(what: string, done: number, total: number): void;
  /** Keys of SHAPES; SPEED_MODELS where absent. */
  models?: readonly string[];
  /** Tokens a step; 512 where absent. */
  tokens?: number;
  budgetMs?: number;
  /** How long each engine steps before it is timed, and is timed; 500 and 1,500 where absent. */
  warmMs?: number;
  timedMs?: number;
}

/**
 * Random weights in NF4, LoRA r 16 on all linear layers, steps pipelined as the training loop submits them.
 * The first model is measured at every level, the others at its fastest level first and at the rest as time
 * allows. What does not fit, or for which no time is left, gets a row that says so.
 * @throws DeviceLostError
 */
export async function measureGpuSpeed(request: SpeedRequest): Promise<GpuSpeed> {
  const { models = SPEED_MODELS, tokens = TOKENS, budgetMs = BUDGET_MS } = request;
  const started = performance.now();
  const rows: SpeedRow[] = [];
  const count = models.length * request.levels.length;
  const take = async (model: string, level: KernelLevel) => {
    const row = { model, level, tokensPerSecond: null, bytes: null };
    if (performance.now() - started > budgetMs) {
      rows.push({ ...row, reason: 'no time was left' });
      return;
    }
    request.onProgress(`${model}, ${level}`, rows.length, count);
    try {
      const figures = await measure(request, randomModel(SHAPES[model]), level, tokens);
      rows.push({ ...row, ...figures, reason: null });
    } catch (error) {
      if (isDeviceLost(error)) throw error;
      report(error, `measuring the speed of ${model} at ${level}`, 'warning');
      rows.push({ ...row, reason: messageOf(error) });
    }
  };
  for (const level of request.levels) await take(models[0], level);
  const fastestFirst = rows
    .toSorted((a, b) => (b.tokensPerSecond ?? 0) - (a.tokensPerSecond ?? 0))
    .map(({ level }) => level);
  for (const level of fastestFirst) for (const model of models.slice(1)) await take(model, level);
  const place = ({ model, level }: SpeedRow) =>
    models.indexOf(model) * request.levels.length + request.levels.indexOf(level);
  rows.sort((a, b) => place(a) - place(b));
  return { adapter: request.adapter, rows, seconds: (performance.now() - started) / 1000 };
}

async function measure(
  { create, warmMs = WARM_MS, timedMs = TIMED_MS }: SpeedRequest,
  weights: WeightSource,
  level: KernelLevel,
  tokens: number,
): Promise<{ tokensPerSecond: number; bytes: number }> {
  const engine = await create({
    weights,
    lora: LORA,
    tokensPerMicroBatch: tokens,
    gradientCheckpointing: false,
    seed: 0,
    level,
  });
  try {
    const vocabulary = weights.config.vocab_size as number;
    const inputIds = Array.from({ length: tokens }, (_, i) => (i * 37) % vocabulary);
    const microBatches = packDocuments([{ inputIds, labels: inputIds }], { tokens, padTokenId: 0 });
    let number = 0;
    const step = () =>
      engine.trainStep({ microBatches, step: number++, learningRate: 1e-5, weightDecay: 0, maxGradNorm: 1 });
    const warm = performance.now();
    let [last] = await takeSteps(engine, 1, step);
    while (performance.now() - warm < warmMs) [last] = await takeSteps(engine, 1, step);
    // The first of a pipelined series waits for nothing before it.
    const count = 1 + Math.max(1, Math.min(60, Math.ceil(timedMs / last)));
    const times = (await takeSteps(engine, count, step)).slice(1);
    return { tokensPerSecond: (1000 * tokens) / median(times), bytes: engine.memory.total };
  } finally {
    engine.dispose();
  }
}
