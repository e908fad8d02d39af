/** The recipe's `lora`: LoraConfig's keys. */
import * as v from 'valibot';
import { count, flag, positive, ratio, text } from './recipeValues.ts';

const names = v.union(
  [text, v.array(text)],
  'must be "all-linear", a list of module names or a regular expression',
);

export const lora = v.strictObject({
  r: v.optional(v.pipe(count(1), v.maxValue(512, 'must be at most 512')), 16),
  lora_alpha: v.optional(v.pipe(positive, v.minValue(1e-6, 'must be positive')), 32),
  lora_dropout: v.optional(v.pipe(ratio, v.maxValue(0.95, 'must be at most 0.95')), 0),
  /** "all-linear", names that modules end in, or a regular expression that whole names match. */
  target_modules: v.optional(names, 'all-linear'),
  exclude_modules: v.optional(v.nullable(names), null),
  /** Numbers of layers, where target_modules is a list. */
  layers_to_transform: v.optional(
    v.nullable(v.union([count(0), v.array(count(0))], 'must be null, a number or a list of numbers')),
    null,
  ),
  layers_pattern: v.optional(v.nullable(names), null),
  /** Ranks and alphas of modules whose names end in a regular expression. */
  rank_pattern: v.optional(
    v.record(text, v.pipe(count(1), v.maxValue(512, 'must be at most 512')), 'must be an object'),
    {},
  ),
  alpha_pattern: v.optional(
    v.record(text, v.pipe(positive, v.minValue(1e-6, 'must be positive')), 'must be an object'),
    {},
  ),
  init_lora_weights: v.optional(
    v.union([v.boolean(), v.literal('gaussian')], ({ input }) =>
      input === 'loftq'
        ? 'must be true, false or "gaussian": LoftQ takes off 13 % of the error of NF4 at rank 16, training has no lead of it after 60 steps, and its adapter fits no other base (docs/performance.md)'
        : 'must be true, false or "gaussian"',
    ),
    true,
  ),
  use_rslora: v.optional(flag, false),
  use_dora: v.optional(flag, false),
});
