/**
 * Measures what the float16 levels do to a whole run: the same recipe, seed and rows at each level, and how
 * far each curve is from plain's. Plain is also compared with itself at another T, where only the order of
 * sums differs: a smaller distance than that means nothing.
 */
import type { GpuContext } from '../../src/gpu/gpuContext.ts';
import type { KernelLevel } from '../../src/gpu/dispatch.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { evaluateFile } from '../../src/training/evaluation.ts';
import { makeEnginePlans } from '../../src/engine/enginePlans.ts';
import { parseRecipe, type Recipe } from '../../src/training/recipe.ts';
import { baseName } from '../../src/data/files/fileNames.ts';
import { largest } from '../../src/lib/extremes.ts';
import { contentHash } from '../../src/lib/contentHash.ts';
import { curve } from '../../src/training/metrics.ts';
import { Trainer } from '../../src/training/trainer.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { randomModel } from '../../src/verify/randomModel.ts';
import { loadDemo, loadRun, type RunData, type RunFiles } from './runData.ts';
import type { BenchHost, BenchOptions } from './measuring.ts';

/** How many steps the running mean covers. */
const WINDOW = 10;

export interface LevelBench {
  model: string;
  level: KernelLevel;
  /** How activations waited for the backward pass. */
  activationDtype: 'float32' | 'e6m9';
  tokensPerMicroBatch: number;
  steps: number;
  /**
   * The dispatches of a micro-batch: all, those that compute in float16, and those of them on matrix units.
   */
  dispatches: { all: number; float16: number; matrixUnits: number };
  losses: number[];
  validation: Record<string, number>;
  /** SHA-256 of the trained adapter's names and values. */
  adapter: string;
  /**
   * Largest |loss - plain| / plain of a single step, of a running mean over 10 steps, of the mean over all
   * steps, and of the validation losses. `nats` is the largest |loss - plain| of a step. plain is the model's
   * first run.
   */
  difference: { nats: number; step: number; runningMean: number; mean: number; validation: number };
  tokensPerSecond: number;
}

interface LevelModel extends RunData {
  name: string;
  /** T, and the other T at which plain is compared with itself: its micro-batches are of other rows. */
  tokens: number;
  otherTokens: number;
}

const STEPS = 200;
/** Of the demo: eight rows make one micro-batch, or three. */
const TOKENS = 512;
const OTHER_TOKENS = 128;

/** The demo trained at the recipe's default learning rate. */
const DEMO_AT_DEFAULT_RATE = 'demo at 2e-4';

/**
 * Products as wide as in models that people use. The loss begins near ln(vocabulary).
 */
const WIDE = {
  hidden_size: 1024,
  intermediate_size: 2816,
  num_hidden_layers: 8,
  num_attention_heads: 16,
  num_key_value_heads: 4,
  head_dim: 64,
};

export async function benchLevels(
  context: GpuContext,
  host: BenchHost,
  options: BenchOptions,
): Promise<LevelBench[]> {
  const tiny = options.size === 'tiny';
  const models = host.ownRun ? [await ownModel(host.ownRun, options)] : await demoModels(host, tiny);
  const rows: LevelBench[] = [];
  for (const model of models.filter(({ name }) => !options.models || options.models.includes(name))) {
    const add = async (
      level: KernelLevel,
      tokens: number,
      plain?: LevelBench,
      activationDtype: LevelBench['activationDtype'] = 'float32',
    ) => {
      const run = await train(context, model, level, tokens, activationDtype);
      const row = { ...run, difference: differences(run, plain ?? run) };
      rows.push(row);
      host.log(
        `${model.name} ${level}, ${activationDtype} T ${tokens}: loss ${row.losses[0].toFixed(4)} to ${row.losses.at(-1)!.toFixed(4)}, ${describe(row)}; adapter ${row.adapter.slice(0, 12)}`,
      );
      return row;
    };
    const plain = await add('plain', model.tokens);
    for (const level of context.levels.filter(
      (each) => each !== 'plain' && (!options.levels || options.levels.includes(each)),
    ))
      for (const dtype of ['float32', 'e6m9'] as const)
        await add(level, plain.tokensPerMicroBatch, plain, dtype);
    await add('plain', plain.tokensPerMicroBatch, plain, 'e6m9');
    if (!tiny) await add('plain', model.otherTokens, plain);
  }
  return rows;
}

async function demoModels(host: BenchHost, tiny: boolean): Promise<LevelModel[]> {
  const demo = await loadDemo(host);
  const model = (name: string, change: Partial<Recipe['training']>): LevelModel => ({
    ...demo,
    name,
    recipe: withSteps(demo.recipe, tiny ? 2 : STEPS, change),
    tokens: tiny ? OTHER_TOKENS : TOKENS,
    otherTokens: OTHER_TOKENS,
  });
  if (tiny) return [model('demo', {})];
  return [
    model('demo', {}),
    // The demo's own rate brings its loss near 0, where relative differences say little; models of real size
    // are trained at the recipe's default.
    model(DEMO_AT_DEFAULT_RATE, { learning_rate: 2e-4 }),
    {
      ...model('random, 8 × 1024, at 2e-4', { learning_rate: 2e-4 }),
      weights: randomModel({ ...demo.weights.config, ...WIDE }),
    },
  ];
}

/** T is the least number of 512s in which every row fits, the other T twice that. */
async function ownModel(files: RunFiles, options: BenchOptions): Promise<LevelModel> {
  const run = await loadRun(files);
  const all = [run.documents, ...run.validation.map(({ documents }) => documents)];
  const longest = Math.max(...all.map(({ lengths }) => largest(lengths)));
  const tokens = Math.ceil(longest / TOKENS) * TOKENS;
  return {
    ...run,
    name: baseName(run.recipe.model),
    recipe: withSteps(run.recipe, options.steps ?? STEPS, {}),
    tokens,
    otherTokens: 2 * tokens,
  };
}

function withSteps(recipe: Recipe, steps: number, change: Partial<Recipe['training']>): Recipe {
  return parseRecipe({ ...recipe, training: { ...recipe.training, max_steps: steps, ...change } });
}

export function describe({ difference, dispatches }: LevelBench): string {
  const percent = (share: number) => `${(100 * share).toFixed(3)} %`;
  return `from plain at most ${percent(difference.step)} a step (${difference.nats.toFixed(5)} nats), ${percent(difference.runningMean)} of means over ${WINDOW}, ${percent(difference.mean)} of the mean, validation ${percent(difference.validation)}; float16 in ${dispatches.float16} of ${dispatches.all} dispatches, matrix units in ${dispatches.matrixUnits}`;
}

async function train(
  context: GpuContext,
  { name, weights, documents, padTokenId, validation, recipe }: LevelModel,
  level: KernelLevel,
  tokens: number,
  activationDtype: LevelBench['activationDtype'],
): Promise<Omit<LevelBench, 'difference'>> {
  context.settings.level = level;
  const options = {
    weights,
    lora: recipe.lora,
    tokensPerMicroBatch: tokens,
    gradientCheckpointing: false,
    activationDtype,
    seed: recipe.training.seed,
  };
  const plan = makeEnginePlans(
    {
      ...options,
      packActivations: activationDtype === 'e6m9',
      model: modelOf(weights.config),
      weights: weights.tensors,
    },
    context.settings,
    context.limits,
  ).training!.train;
  const count = (enabled: string) =>
    plan.dispatches.filter(({ code }) => code.includes(`enable ${enabled};`)).length;
  const engine = await WebGpuEngine.create(context, options);
  const started = performance.now();
  const result = await new Trainer({
    engine,
    recipe,
    documents,
    padTokenId,
    evaluators: [],
    emit: () => undefined,
  }).run();
  const seconds = (performance.now() - started) / 1000;
  if (result.message) throw new Error(`${name} at ${level}: ${result.message}`);
  const losses: Record<string, number> = {};
  for (const file of validation)
    losses[file.name] = (
      await evaluateFile({ documents: file.documents, padTokenId, generation: null }, engine)
    ).metrics.loss;
  const adapter = await contentHash(await engine.readAdapter());
  engine.dispose();
  context.settings.level = 'plain';
  return {
    model: name,
    level,
    activationDtype,
    tokensPerMicroBatch: tokens,
    steps: result.steps,
    dispatches: {
      all: plan.dispatches.length,
      float16: count('f16'),
      matrixUnits: count('chromium_experimental_subgroup_matrix'),
    },
    losses: curve(result.lines, 'loss').values,
    validation: losses,
    adapter,
    tokensPerSecond: result.lines.at(-1)!.num_input_tokens_seen / seconds,
  };
}

/** The parts of a run that are compared. */
export type Curves = Pick<LevelBench, 'losses' | 'validation'>;

export function differences(run: Curves, plain: Curves): LevelBench['difference'] {
  const largest = (values: readonly number[], others: readonly number[]) =>
    Math.max(...values.map((value, i) => Math.abs(value - others[i]) / Math.abs(others[i])));
  const names = Object.keys(plain.validation);
  return {
    nats: Math.max(...run.losses.map((loss, i) => Math.abs(loss - plain.losses[i]))),
    step: largest(run.losses, plain.losses),
    runningMean: largest(runningMeans(run.losses, WINDOW), runningMeans(plain.losses, WINDOW)),
    mean: largest(
      runningMeans(run.losses, run.losses.length),
      runningMeans(plain.losses, plain.losses.length),
    ),
    validation: largest(
      names.map((name) => run.validation[name]),
      names.map((name) => plain.validation[name]),
    ),
  };
}

/** Means over `size` neighbours, or over all values where there are fewer. */
function runningMeans(values: readonly number[], size: number): number[] {
  const width = Math.min(size, values.length);
  return Array.from(
    { length: values.length - width + 1 },
    (_, i) => values.slice(i, i + width).reduce((a, b) => a + b, 0) / width,
  );
}
