/** The recipe's `lora`: LoraConfig's keys. */
import * as v from 'valibot';
import { count, flag, positive, ratio, text } from './recipeValues.ts';

export const lora = v.strictObject({
  r: v.optional(v.pipe(count(1), v.maxValue(512, 'must be at most 512')), 16),
  lora_alpha: v.optional(v.pipe(positive, v.minValue(1e-6, 'must be positive')), 32),
  lora_dropout: v.optional(v.pipe(ratio, v.maxValue(0.95, 'must be at most 0.95')), 0),
  target_modules: v.optional(
    v.union([v.literal('all-linear'), v.array(text)], 'must be "all-linear" or a list of module names'),
    'all-linear',
  ),
  use_rslora: v.optional(flag, false),
  use_dora: v.optional(flag, false),
});
