/**
 * Runs that learn from preferences, on a tiny model: the reference, the curves, the same bytes, the fallback.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { DocumentTable } from '../../src/data/documentTable.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { TensorFlowEngine } from '../../src/engine/tensorflow/tensorflowEngine.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { evaluateFile } from '../../src/training/evaluation.ts';
import { PreferenceEvaluation } from '../../src/training/preference/evaluatePreferences.ts';
import { loraOfMethod, preferenceSettings } from '../../src/training/preference/method.ts';
import { parseRecipe, type Recipe, type RecipeInput } from '../../src/training/recipe.ts';
import type { Checkpoint, RunResult } from '../../src/training/runRecord.ts';
import { Trainer } from '../../src/training/trainer.ts';
import { uniform } from '../../src/verify/caseBuilder.ts';
import { testGpu } from '../helpers/gpu.ts';
import { TINY_CONFIG, tinyModelFiles } from '../helpers/tinyModel.ts';

const gpu = await testGpu();
const weights = memoryWeightSource(
  await openCheckpoint(tinyModelFiles({}, TINY_CONFIG)),
  modelOf(TINY_CONFIG).tensors,
  'none',
);
const TOKENS = 64;
const STEPS = 4;
/** Pairs: the same prompt with two answers of other lengths, one after the other. */
const documents = DocumentTable.of(
  'pairs.jsonl',
  Array.from({ length: 8 }, (_, i) => {
    const [prompt, answer] = [uniform(3 + (i >> 1), i >> 1), uniform(4 + ((5 * i) % 7), 20 + i)];
    const inputIds = [...prompt, ...answer].map((value) => Math.floor((value + 1) * 120));
    return {
      inputIds,
      labels: inputIds.map((id, p) => (p < prompt.length ? -100 : id)),
      promptTokens: prompt.length,
      truncatedTokens: 0,
      line: 1 + (i >> 1),
    };
  }),
);
const labels = Uint8Array.from({ length: 8 }, (_, i) => (i + 1) % 2);

const recipeOf = (input: RecipeInput): Recipe =>
  parseRecipe({
    lora: { r: 4, lora_alpha: 8, lora_dropout: 0.1 },
    ...input,
    training: {
      max_steps: STEPS,
      per_device_train_batch_size: 2,
      learning_rate: 1e-2,
      lr_scheduler_type: 'constant',
      ...input.training,
    },
  });
const options = (recipe: Recipe) => ({
  weights,
  lora: loraOfMethod(recipe),
  tokensPerMicroBatch: TOKENS,
  gradientCheckpointing: true,
  seed: recipe.training.seed,
});

let engine: Engine | undefined;
afterEach(() => {
  engine?.dispose();
  engine = undefined;
});

async function run(
  recipe: Recipe,
  { resume, save }: { resume?: Checkpoint; save?: (checkpoint: Checkpoint) => void } = {},
): Promise<RunResult> {
  engine?.dispose();
  engine = await WebGpuEngine.create(gpu!, options(recipe));
  const trainer = new Trainer({
    engine,
    recipe,
    documents,
    labels,
    padTokenId: 0,
    evaluators: [],
    emit: () => undefined,
    saveCheckpoint: async (checkpoint) => save?.(structuredClone(checkpoint)),
    resume,
  });
  return trainer.run();
}

describe.skipIf(!gpu)('a run of pairs', () => {
  const recipe = recipeOf({ method: 'dpo', training: { beta: 0.5, save_steps: 2 } });

  it('begins at log 2, widens the margin, and gives the same bytes again and from a checkpoint', async () => {
    const saved: Checkpoint[] = [];
    const first = await run(recipe, { save: (checkpoint) => saved.push(checkpoint) });
    const lines = first.lines.filter(({ loss }) => loss !== undefined);
    expect(lines.length).toBe(STEPS);
    expect(Math.abs(lines[0].loss - Math.LN2)).toBeLessThan(1e-6);
    expect(lines[0]['rewards/margins']).toBe(0);
    expect(lines.at(-1)!['rewards/margins']).toBeGreaterThan(0.3);
    expect(lines.at(-1)!.loss).toBeLessThan(0.6);
    expect(first.lines.at(-1)!.num_input_tokens_seen).toBeGreaterThan(0);

    const settings = preferenceSettings(recipe)!;
    const preferences = new PreferenceEvaluation(
      { settings, documents, pairStarts: [0, 2, 4, 6], labels: new Map() },
      { tokens: TOKENS, padTokenId: 0 },
    );
    const { metrics } = await evaluateFile(
      { documents, padTokenId: 0, preferences, generation: null },
      engine!,
    );
    expect(metrics['rewards/accuracies']).toBe(1);
    expect(metrics.loss).toBeLessThan(0.6);
    expect(metrics.perplexity).toBeUndefined();

    const again = await run(recipe);
    expect(again.adapter).toEqual(first.adapter);
    const half = saved.find(({ step }) => step === 2)!;
    const resumed = await run(recipe, { resume: half });
    expect(resumed.adapter).toEqual(first.adapter);
    expect(resumed.lines.map(({ loss }) => loss)).toEqual(first.lines.map(({ loss }) => loss));
  });

  it.each(['ipo', 'simpo', 'orpo'] as const)('gives the same bytes again by %s', async (method) => {
    const recipe = recipeOf({ method, training: { max_steps: 2 } });
    const [first, again] = [await run(recipe), await run(recipe)];
    expect(again.adapter).toEqual(first.adapter);
    expect(again.lines.map(({ loss }) => loss)).toEqual(first.lines.map(({ loss }) => loss));
  });

  it('takes the same first step on TensorFlow.js', async () => {
    const rows = documents;
    const made = await run(recipeOf({ method: 'orpo', training: { max_steps: 1 } }));
    const orpo = recipeOf({ method: 'orpo', training: { max_steps: 1 } });
    const fallback = await TensorFlowEngine.create(options(orpo), ['cpu']);
    const trainer = new Trainer({
      engine: fallback,
      recipe: orpo,
      documents: rows,
      padTokenId: 0,
      evaluators: [],
      emit: () => undefined,
    });
    const other = await trainer.run();
    fallback.dispose();
    const [mine, theirs] = [made.lines[0], other.lines[0]];
    expect(mine.nll_loss).toBeGreaterThan(1);
    for (const key of ['loss', 'grad_norm', 'nll_loss', 'rewards/chosen'])
      expect(Math.abs(mine[key] - theirs[key]) / Math.abs(theirs[key]), key).toBeLessThan(1e-4);
  });
});

describe.skipIf(!gpu)('a run of labelled answers', () => {
  it('begins at one half with a reference point of 0, and tells wanted from unwanted answers', async () => {
    const recipe = recipeOf({ method: 'kto', training: { beta: 0.5, per_device_train_batch_size: 4 } });
    const { lines, adapter } = await run(recipe);
    expect((await run(recipe)).adapter).toEqual(adapter);
    expect(Math.abs(lines[0].loss - 0.5)).toBeLessThan(1e-6);
    expect(lines[0].kl).toBe(0);
    const last = lines.at(-1)!;
    expect(last.loss).toBeLessThan(0.48);
    expect(last['rewards/chosen'] ?? 1).toBeGreaterThan(last['rewards/rejected'] ?? -1);
  });
});
