/**
 * The fields of a recipe as the page shows them: under the names of PEFT and transformers. What each is for
 * stands with the page's texts (`recipeHelp`).
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
  },
  {
    group: 'training',
    key: 'learning_rate',
    type: 'number',
    step: 'any',
    min: 0,
  },
  {
    group: 'training',
    key: 'per_device_train_batch_size',
    type: 'number',
    step: 1,
    min: 1,
  },
  {
    group: 'lora',
    key: 'r',
    type: 'number',
    step: 1,
    min: 1,
  },
  {
    group: 'lora',
    key: 'lora_alpha',
    type: 'number',
    step: 'any',
    min: 0,
  },
  {
    group: null,
    key: 'max_length',
    type: 'number',
    step: 1,
    min: 8,
    needsData: true,
  },
];

export const ADVANCED: Field[] = [
  {
    group: null,
    key: 'method',
    type: 'choice',
    options: [...METHODS],
    needsData: true,
  },
  {
    group: null,
    key: 'quantization',
    type: 'choice',
    options: ['nf4', 'none', 'gguf'],
  },
  {
    group: null,
    key: 'date_string',
    type: 'text',
    needsData: true,
  },
  {
    group: null,
    key: 'mask_history',
    type: 'flag',
    needsData: true,
  },
  {
    group: 'lora',
    key: 'lora_dropout',
    type: 'number',
    step: 'any',
    min: 0,
  },
  {
    group: 'lora',
    key: 'use_dora',
    type: 'flag',
  },
  { group: 'lora', key: 'use_rslora', type: 'flag' },
  ...TRAINING_FIELDS,
  {
    group: 'evaluation',
    key: 'eval_strategy',
    type: 'choice',
    options: ['steps', 'epoch', 'no'],
  },
  {
    group: 'evaluation',
    key: 'eval_steps',
    type: 'number',
    step: 1,
    min: 1,
  },
  {
    group: 'evaluation',
    key: 'predict_with_generate',
    type: 'flag',
  },
  {
    group: 'evaluation',
    key: 'eval_max_samples',
    type: 'number',
    step: 1,
    min: 1,
  },
  {
    group: 'evaluation',
    key: 'max_new_tokens',
    type: 'number',
    step: 1,
    min: 1,
  },
  {
    group: 'evaluation',
    key: 'do_sample',
    type: 'flag',
  },
  {
    group: 'evaluation',
    key: 'temperature',
    type: 'number',
    step: 'any',
    min: 0,
  },
  {
    group: 'evaluation',
    key: 'top_p',
    type: 'number',
    step: 'any',
    min: 0,
  },
  {
    group: 'evaluation',
    key: 'early_stopping_threshold',
    type: 'number',
    step: 'any',
    min: 0,
  },
  {
    group: 'evaluation',
    key: 'load_best_model_at_end',
    type: 'flag',
  },
  {
    group: 'evaluation',
    key: 'eval_on_start',
    type: 'flag',
  },
  {
    group: 'evaluation',
    key: 'forgetting_threshold',
    type: 'number',
    step: 'any',
    min: 0,
    empty: 'null',
  },
];

/** The groups of the advanced fields. */
export const GROUPS: readonly (Group | null)[] = [null, 'lora', 'training', 'evaluation'];

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
