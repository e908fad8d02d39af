/**
 * The recipe: the one description of a run (a JSON file), under the names of LoraConfig and
 * TrainingArguments.
 */
import * as v from 'valibot';
import { DEFAULT_DATE_STRING } from '../data/template/chatTemplate.ts';
import { UserError, messageOf } from '../lib/errors.ts';
import { lora } from './recipe/adapterRecipe.ts';
import { documentsPerExample, METHODS, methodFault } from './preference/method.ts';
import { metrics, rewards, scoringFault } from './recipe/scoringRecipe.ts';
import { packedExamples } from './batching/packedExamples.ts';
import { answersPerStep, promptsPerStep } from './reward/rewardSettings.ts';
import { totalSteps } from './schedule.ts';
import { scheduleFault } from './scheduleArguments.ts';
import { count, flag, positive, ratio, STRATEGIES, STRATEGY_FAULT, text } from './recipe/recipeValues.ts';
import { training } from './recipe/trainingRecipe.ts';

const evaluation = v.strictObject({
  /** steps: every eval_steps and at the end. epoch: at the end of each. no: never, the start included. */
  eval_strategy: v.optional(v.picklist(STRATEGIES, STRATEGY_FAULT), 'steps'),
  eval_steps: v.optional(count(1), 20),
  predict_with_generate: v.optional(flag, false),
  max_new_tokens: v.optional(count(1), 100),
  do_sample: v.optional(flag, true),
  temperature: v.optional(v.pipe(positive, v.minValue(1e-3, 'must be at least 0.001')), 0.3),
  top_p: v.optional(v.pipe(ratio, v.minValue(1e-6, 'must be positive')), 0.93),
  eval_max_samples: v.optional(count(1), 32),
  /** 0: never stops early. */
  early_stopping_patience: v.optional(count(0), 10),
  /** How much better than the best an evaluation must be to renew the patience. */
  early_stopping_threshold: v.optional(positive, 0),
  /** Evaluates before the first step. */
  eval_on_start: v.optional(flag, true),
  /** With metric_for_best_model: hands out the best adapter, not the last one. */
  load_best_model_at_end: v.optional(flag, true),
  metric_for_best_model: v.optional(
    v.nullable(v.pipe(text, v.regex(/^eval_.+/, 'must be the name of a metric such as "eval_math_loss"'))),
    null,
  ),
  /** Of metric_for_best_model; null: as the metric is. */
  greater_is_better: v.optional(v.nullable(flag), null),
  /** Not of transformers: how far a file's loss may rise above its start before it is named; null: never. */
  forgetting_threshold: v.optional(
    v.nullable(v.pipe(positive, v.minValue(1e-6, 'must be positive, or null'))),
    0.1,
  ),
});

const mapping = v.pipe(
  v.strictObject({
    prompt: v.optional(text),
    response: v.optional(text),
    system: v.optional(text),
    messages: v.optional(text),
    text: v.optional(text),
  }),
  v.check(
    ({ prompt, response, messages, text }) =>
      [prompt !== undefined && response !== undefined, messages !== undefined, text !== undefined].filter(
        Boolean,
      ).length === 1,
    'must name a prompt and a response column, or a messages column, or a text column',
  ),
);

const recipe = v.strictObject({
  model: v.optional(text, ''),
  /** As LLaMA-Factory has it: a PEFT folder or a GGUF LoRA to go on from; its lora becomes the run's. */
  adapter_name_or_path: v.optional(v.nullable(text), null),
  /** Several are joined. */
  train_file: v.optional(
    v.union([text, v.array(text)], 'must be the name of a file, or a list of names'),
    '',
  ),
  /** Of several training files: what share of an epoch's documents each has, by file name, as 3 to 1. */
  mix_ratios: v.optional(
    v.record(text, v.pipe(positive, v.minValue(1e-6, 'must be positive')), 'must be an object of file names'),
    {},
  ),
  validation_files: v.optional(v.array(text, 'must be a list of file names'), []),
  system_prompt: v.optional(v.nullable(text), 'You are a helpful and friendly assistant.'),
  date_string: v.optional(text, DEFAULT_DATE_STRING),
  /** Columns of data files in no known format, by file name; "*" is for all of them. */
  columns: v.optional(v.record(text, mapping, 'must be an object of file names'), {}),
  /** As axolotl has it: a share of the training rows, or how many, held out as a validation set. */
  val_set_size: v.optional(
    v.pipe(
      v.number('must be a number'),
      v.minValue(0, 'must not be negative'),
      v.check(
        (size) => size < 1 || Number.isInteger(size),
        'must be a share below 1 or a whole number of rows',
      ),
    ),
    0,
  ),
  /** Not of the ecosystem: keys of rows that are not used, as the page's data section gives them. */
  left_out_rows: v.optional(
    v.array(v.pipe(text, v.regex(/^[0-9a-f]{14}$/, 'must be 14 hex digits')), 'must be a list of keys'),
    [],
  ),
  /** Only the last answer of a conversation is learned from. */
  mask_history: v.optional(flag, false),
  max_length: v.optional(v.pipe(count(8), v.maxValue(131072, 'must be at most 131072')), 1024),
  /**
   * sft: answers are copied. grpo: answers are sampled and rewarded. The others learn from pairs of answers
   * or from answers that are wanted or not.
   */
  method: v.optional(v.picklist(METHODS, `must be one of ${METHODS.join(', ')}`), 'sft'),
  quantization: v.optional(v.picklist(['nf4', 'none', 'gguf'], 'must be "nf4", "none" or "gguf"'), 'nf4'),
  /** Of grpo: what the sampled answers are rewarded for; an answer's reward is their weighted sum. */
  rewards: v.optional(rewards, []),
  /** Metrics of one's own for the generated answers of every validation file. */
  metrics: v.optional(metrics, []),
  lora: v.optional(lora, {}),
  training: v.optional(training, {}),
  evaluation: v.optional(evaluation, {}),
});

/** A recipe with every default filled in. */
export type Recipe = v.InferOutput<typeof recipe>;
/** A recipe as a person writes it. */
export type RecipeInput = v.InferInput<typeof recipe>;

/** Names that a metric of one's own cannot have; `METRICS` has these. */
export const BUILT_IN_METRICS = [
  ...['loss', 'perplexity', 'token_accuracy', 'rouge1', 'rouge2', 'rougeL', 'rougeLsum', 'bleu', 'chrf'],
  ...['exact_match', 'mean_generated_length', 'gen_len', 'stopped_share', 'kl', 'nll_loss', 'reward'],
];

/** Characters of a key or a value in a message. */
const MOST_SHOWN = 200;

const KNOWN_KEYS = [recipe, lora, training, evaluation].flatMap((schema) => Object.keys(schema.entries));

/**
 * @param source JSON text or an object
 * @throws UserError listing every key that is wrong and what to write there
 */
export function parseRecipe(source: string | object): Recipe {
  let value: unknown = source;
  if (typeof source === 'string') {
    try {
      value = JSON.parse(source);
    } catch (error) {
      throw new UserError(`The recipe is not JSON: ${messageOf(error)}. Check commas and quotation marks.`);
    }
  }
  // A list passes for an object without keys where every key has a default.
  const groups = { recipe: value, ...(typeof value === 'object' ? value : {}) } as Record<string, unknown>;
  for (const key of ['recipe', 'columns', 'mix_ratios', 'lora', 'training', 'evaluation']) {
    if (Array.isArray(groups[key]))
      throw new UserError(
        `The recipe cannot be used: ${key === 'recipe' ? 'it' : `"${key}"`} is a list; it must be an object in braces.`,
      );
  }
  const result = v.safeParse(recipe, withMethodDefaults(value));
  if (result.success) {
    const fault =
      methodFault(result.output) ??
      scheduleFault(result.output.training) ??
      scoringFault('metrics', result.output.metrics, BUILT_IN_METRICS) ??
      (result.output.evaluation.eval_strategy === 'no' &&
      result.output.evaluation.metric_for_best_model !== null
        ? '"evaluation.metric_for_best_model" is named, and "evaluation.eval_strategy" is "no": nothing would be evaluated. Write "steps" or "epoch", or take the metric out.'
        : null) ??
      (result.output.metrics.length > 0 && !result.output.evaluation.predict_with_generate
        ? '"metrics" are named, which need generated answers. Set "evaluation.predict_with_generate" to true, or remove them.'
        : null);
    if (fault) throw new UserError(`The recipe cannot be used: ${fault}`);
    return result.output;
  }
  throw new UserError(`The recipe cannot be used: ${result.issues.map(explain).join(' ')}`);
}

/** Defaults that are other ones under grpo, as TRL has them. */
function withMethodDefaults(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || (value as RecipeInput).method !== 'grpo') return value;
  const { training: given } = value as { training?: unknown };
  if (given !== undefined && (typeof given !== 'object' || given === null)) return value;
  return { ...value, training: { beta: 0, per_device_train_batch_size: 8, ...given } };
}

function explain(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? '';
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const near = nearestKey(path.split('.').at(-1)!);
    return `"${shortened(path)}" is not a key of a recipe${near === null ? ': remove it.' : `; did you mean "${near}"?`}`;
  }
  if (issue.type === 'strict_object') return `${path ? `"${path}"` : 'It'} must be an object in braces.`;
  return `"${shortened(path)}" is ${shortened(JSON.stringify(issue.input) ?? 'nothing')}: it ${issue.message}.`;
}

function shortened(text: string): string {
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}

/** The key that somebody may have meant; null where none is near. */
function nearestKey(key: string): string | null {
  if (key.length > MOST_SHOWN) return null;
  const near = KNOWN_KEYS.map((known) => ({ known, distance: editDistance(key, known) }));
  near.sort((a, b) => a.distance - b.distance);
  return near[0].distance <= 3 ? near[0].known : null;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length];
}

/** The file: every default filled in, keys in the schema's order. */
export function recipeToJson(value: Recipe): string {
  return `${JSON.stringify(v.parse(recipe, value), null, 2)}\n`;
}

/** The training files that a recipe names. */
export function trainFilesOf({ train_file }: Pick<Recipe, 'train_file'>): string[] {
  return typeof train_file === 'string' ? (train_file === '' ? [] : [train_file]) : train_file;
}

/** Rows that make one optimiser step; of grpo the prompts whose answers do. */
export function examplesPerStep(recipe: Recipe): number {
  return recipe.method === 'grpo' ? promptsPerStep(recipe) : answersPerStep(recipe);
}

/** Optimiser steps of a run over documents of these lengths. */
export function stepsOf(recipe: Recipe, lengths: ArrayLike<number>): number {
  const { num_train_epochs, max_steps, num_iterations, packing } = recipe.training;
  const examples = packing
    ? packedExamples(lengths, recipe.max_length).count
    : lengths.length / documentsPerExample(recipe.method);
  const steps = totalSteps(examples, examplesPerStep(recipe), num_train_epochs, max_steps);
  return max_steps > 0 ? steps : steps * num_iterations;
}
