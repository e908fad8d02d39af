/**
 * The fields of a recipe as the page shows them: under the names of PEFT and transformers, each explained.
 */
import { METHODS } from '../../training/preference/method.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { Field, Group } from './field.ts';
import { TRAINING_FIELDS } from './trainingFields.ts';

export type { Field };

export const ESSENTIAL: Field[] = [
  {
    group: 'training',
    key: 'num_train_epochs',
    type: 'number',
    step: 'any',
    min: 0,
    help: 'How often every row is seen.',
  },
  {
    group: 'training',
    key: 'learning_rate',
    type: 'number',
    step: 'any',
    min: 0,
    help: 'Size of a step; 1e-4 to 5e-4 suits most.',
  },
  {
    group: 'training',
    key: 'per_device_train_batch_size',
    type: 'number',
    step: 1,
    min: 1,
    help: 'Rows in one step, times gradient_accumulation_steps.',
  },
  {
    group: 'lora',
    key: 'r',
    type: 'number',
    step: 1,
    min: 1,
    help: 'Rank of the adapter: how much it can learn.',
  },
  {
    group: 'lora',
    key: 'lora_alpha',
    type: 'number',
    step: 'any',
    min: 0,
    help: 'The adapter is scaled by this over r; often twice r.',
  },
  {
    group: null,
    key: 'max_length',
    type: 'number',
    step: 1,
    min: 8,
    needsData: true,
    help: 'Longest row in tokens; more is cut off.',
  },
];

export const ADVANCED: Field[] = [
  {
    group: null,
    key: 'method',
    type: 'choice',
    options: [...METHODS],
    needsData: true,
    help: 'sft copies answers; dpo, ipo, simpo and orpo learn from chosen and rejected ones, kto from labels, grpo from rewards of answers that it samples.',
  },
  {
    group: null,
    key: 'quantization',
    type: 'choice',
    options: ['nf4', 'none', 'gguf'],
    help: 'How the base weights are kept; decided when a model is dropped. gguf: the blocks of a .gguf as they are.',
  },
  {
    group: null,
    key: 'date_string',
    type: 'text',
    needsData: true,
    help: "Today's date for templates that print one.",
  },
  {
    group: null,
    key: 'mask_history',
    type: 'flag',
    needsData: true,
    help: 'Of conversations, learn from the last answer only.',
  },
  {
    group: 'lora',
    key: 'lora_dropout',
    type: 'number',
    step: 'any',
    min: 0,
    help: "Share of the adapter's input dropped while training.",
  },
  {
    group: 'lora',
    key: 'use_dora',
    type: 'flag',
    help: 'DoRA: learns the length of each output apart; slower, often better.',
  },
  { group: 'lora', key: 'use_rslora', type: 'flag', help: 'Scale by alpha/√r instead of alpha/r.' },
  ...TRAINING_FIELDS,
  {
    group: 'evaluation',
    key: 'eval_strategy',
    type: 'choice',
    options: ['steps', 'epoch', 'no'],
    help: 'When validation files are evaluated: every eval_steps, after each epoch, or never.',
  },
  {
    group: 'evaluation',
    key: 'eval_steps',
    type: 'number',
    step: 1,
    min: 1,
    help: 'Steps between evaluations.',
  },
  {
    group: 'evaluation',
    key: 'predict_with_generate',
    type: 'flag',
    help: 'Also generate answers at each evaluation.',
  },
  {
    group: 'evaluation',
    key: 'eval_max_samples',
    type: 'number',
    step: 1,
    min: 1,
    help: 'Rows a file to generate for.',
  },
  {
    group: 'evaluation',
    key: 'max_new_tokens',
    type: 'number',
    step: 1,
    min: 1,
    help: 'Longest generated answer.',
  },
  {
    group: 'evaluation',
    key: 'do_sample',
    type: 'flag',
    help: 'Sample the next token; off: always take the most probable one.',
  },
  {
    group: 'evaluation',
    key: 'temperature',
    type: 'number',
    step: 'any',
    min: 0,
    help: 'Lower is more predictable.',
  },
  {
    group: 'evaluation',
    key: 'top_p',
    type: 'number',
    step: 'any',
    min: 0,
    help: 'Sample from the most probable tokens that add up to this share.',
  },
  {
    group: 'evaluation',
    key: 'early_stopping_threshold',
    type: 'number',
    step: 'any',
    min: 0,
    help: 'How much better counts as better, for early stopping.',
  },
  {
    group: 'evaluation',
    key: 'load_best_model_at_end',
    type: 'flag',
    help: 'Hand out the best adapter, not the last.',
  },
  {
    group: 'evaluation',
    key: 'eval_on_start',
    type: 'flag',
    help: 'Evaluate before the first step.',
  },
  {
    group: 'evaluation',
    key: 'forgetting_threshold',
    type: 'number',
    step: 'any',
    min: 0,
    empty: 'null',
    help: 'Name a validation file whose loss rises this far above its start (0.1 is about 10 % more perplexity); empty: never.',
  },
];

/** Headings of the advanced fields, by group. */
export const GROUP_TITLES: [group: Group | null, title: string][] = [
  [null, 'Model and rows'],
  ['lora', 'Adapter (LoraConfig)'],
  ['training', 'Training (TrainingArguments)'],
  ['evaluation', 'Evaluation'],
];

type Values = Record<string, string | number | boolean | null>;

function container(recipe: Recipe, { group }: Field): Values {
  return (group === null ? recipe : recipe[group]) as unknown as Values;
}

export function fieldValue(recipe: Recipe, field: Field): string | number | boolean | null {
  return container(recipe, field)[field.key];
}

export function setField(recipe: Recipe, field: Field, value: string | number | boolean): void {
  const nullable = (field.type === 'text' || field.type === 'number') && field.empty === 'null';
  container(recipe, field)[field.key] = nullable && (value === '' || Number.isNaN(value)) ? null : value;
}
