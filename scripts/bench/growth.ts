/**
 * Measures how cost grows: speed and memory over a long run, step time over the tokens of one document, and
 * over micro-batches.
 */
import { packDocuments } from '../../src/data/packing.ts';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import type { KernelLevel } from '../../src/gpu/dispatch.ts';
import { parseRecipe } from '../../src/training/recipe.ts';
import { Trainer } from '../../src/training/trainer.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { randomModel, SHAPES } from '../../src/verify/randomModel.ts';
import { loadDemo } from './runData.ts';
import { LORA, median, takeSteps } from '../../src/engine/pipelinedSteps.ts';
import { warmUp, type BenchHost, type BenchOptions } from './measuring.ts';
import { benchStep } from './steps.ts';

export interface LongRunBench {
  level: KernelLevel;
  /** Of the demo's run: from the mark before to this step. */
  steps: { step: number; tokensPerSecond: number; heapBytes: number | null; gpuBytes: number }[];
}

export interface GrowthBench {
  level: KernelLevel;
  /**
   * Steps of one document of T tokens. The parts are GPU time; null where the adapter has no timestamps.
   */
  tokens: {
    model: string;
    tokens: number;
    stepMs: number;
    attentionMs: number | null;
    restMs: number | null;
  }[];
  microBatches: { model: string; tokensPerMicroBatch: number; count: number; stepMs: number }[];
}

const SIZES = {
  tiny: {
    model: '2 layers of width 32',
    tokens: [32, 64, 128, 256],
    microBatchTokens: 64,
    counts: [1, 2, 4],
  },
  real: {
    model: 'SmolLM2-135M',
    tokens: [256, 512, 1024, 2048, 4096, 8192],
    microBatchTokens: 512,
    counts: [1, 2, 4, 8, 16],
  },
};

function levelOf(context: GpuContext, options: BenchOptions): KernelLevel {
  return options.levels?.find((each) => context.levels.includes(each)) ?? 'plain';
}

export async function benchGrowth(
  context: GpuContext,
  host: BenchHost,
  options: BenchOptions,
): Promise<GrowthBench> {
  const { model, tokens: lengths, microBatchTokens, counts } = SIZES[options.size];
  const level = levelOf(context, options);
  const made: GrowthBench = { level, tokens: [], microBatches: [] };
  for (const tokens of lengths) {
    const { stepMs, kernels } = await benchStep(context, {
      model,
      count: 1,
      length: tokens,
      level,
      memory: { gradientCheckpointing: true, activationDtype: 'float32' },
    });
    const sum = (ofAttention: boolean) =>
      kernels
        .filter(({ op }) => /attention/i.test(op) === ofAttention)
        .reduce((total, { ms }) => total + ms, 0);
    const [attentionMs, restMs] = kernels.length > 0 ? [sum(true), sum(false)] : [null, null];
    made.tokens.push({ model, tokens, stepMs, attentionMs, restMs });
    const parts =
      restMs === null
        ? ''
        : `, of that attention ${attentionMs.toFixed(1)} and the rest ${restMs.toFixed(1)} (${((restMs / tokens) * 1000).toFixed(1)} a thousand tokens)`;
    host.log(`${model}, a document of ${tokens}: ${stepMs.toFixed(1)} ms${parts}`);
  }
  await overMicroBatches(context, made, host, { model, tokens: microBatchTokens, counts });
  return made;
}

/** Times steps of more and more micro-batches on one engine. */
async function overMicroBatches(
  context: GpuContext,
  { level, microBatches: rows }: GrowthBench,
  host: BenchHost,
  { model, tokens, counts }: { model: string; tokens: number; counts: readonly number[] },
): Promise<void> {
  context.settings.level = level;
  const engine = await WebGpuEngine.create(context, {
    weights: randomModel(SHAPES[model]),
    lora: LORA,
    tokensPerMicroBatch: tokens,
    gradientCheckpointing: true,
    seed: 0,
  });
  const inputIds = Array.from({ length: tokens }, (_, i) => (i * 37) % (SHAPES[model].vocab_size as number));
  let number = 0;
  for (const count of counts) {
    const microBatches = packDocuments(
      Array.from({ length: count }, () => ({ inputIds, labels: inputIds })),
      { tokens, padTokenId: 0 },
    );
    const step = () =>
      engine.trainStep({ microBatches, step: number++, learningRate: 1e-5, weightDecay: 0, maxGradNorm: 1 });
    await warmUp(step);
    const stepMs = median((await takeSteps(engine, 5, step)).slice(1));
    rows.push({ model, tokensPerMicroBatch: tokens, count, stepMs });
    host.log(
      `${model}, ${count} micro-batches of ${tokens}: ${stepMs.toFixed(1)} ms, ${(stepMs / count).toFixed(1)} each`,
    );
  }
  engine.dispose();
  context.settings.level = 'plain';
}

/** T, in which four rows of the demo fit. */
const LONG_RUN_TOKENS = 384;

/** Runs the page's own training loop without evaluation, and takes a mark at every power of ten. */
export async function benchLongRun(
  context: GpuContext,
  host: BenchHost,
  options: BenchOptions,
): Promise<LongRunBench> {
  const level = levelOf(context, options);
  const steps = options.steps ?? (options.size === 'tiny' ? 20 : 10_000);
  context.settings.level = level;
  const { weights, documents, padTokenId, recipe: short } = await loadDemo(host);
  const recipe = parseRecipe({
    ...short,
    training: {
      ...short.training,
      max_steps: steps,
      per_device_train_batch_size: 4,
      lr_scheduler_type: 'constant',
      learning_rate: 1e-4,
    },
  });
  const engine = await WebGpuEngine.create(context, {
    weights,
    lora: recipe.lora,
    tokensPerMicroBatch: LONG_RUN_TOKENS,
    gradientCheckpointing: false,
    seed: recipe.training.seed,
  });
  const [batch] = packDocuments([documents.at(0)], { tokens: LONG_RUN_TOKENS, padTokenId });
  await warmUp(() => engine.score(batch));
  const marks: LongRunBench['steps'] = [];
  let [since, tokensBefore, tokens] = [0, 0, 0];
  const trainer = new Trainer({
    engine,
    recipe,
    documents,
    padTokenId,
    evaluators: [],
    emit(event) {
      if (event.type === 'metrics') tokens = event.line.num_input_tokens_seen;
      if (event.type !== 'progress') return;
      const { step } = event;
      // The first step is left out: it waits for the device to warm up.
      if (step > 1 && !Number.isInteger(Math.log10(step)) && step !== steps) return;
      if (step > 1) {
        const seconds = (performance.now() - since) / 1000;
        const gpuBytes = Object.values(context.allocated()).reduce((a, b) => a + b, 0);
        const mark = {
          step,
          tokensPerSecond: (tokens - tokensBefore) / seconds,
          heapBytes: host.heapBytes(),
          gpuBytes,
        };
        marks.push(mark);
        const heap = mark.heapBytes === null ? '' : `, heap ${(mark.heapBytes / 1e6).toFixed(1)} MB`;
        host.log(
          `demo, to step ${step}: ${mark.tokensPerSecond.toFixed(0)} tokens/s${heap}, GPU ${(gpuBytes / 1e6).toFixed(1)} MB`,
        );
      }
      [since, tokensBefore] = [performance.now(), tokens];
    },
  });
  const { message } = await trainer.run();
  if (message) throw new Error(`the long run: ${message}`);
  engine.dispose();
  context.settings.level = 'plain';
  return { level, steps: marks };
}
