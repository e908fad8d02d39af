/** Kinds of values that a recipe's keys have, each with what is said of a wrong one. */
import * as v from 'valibot';

export const positive = v.pipe(
  v.number('must be a number'),
  v.minValue(0, 'must not be negative'),
  v.maxValue(1e30, 'must be at most 1e30'),
);
/** No run has more of anything; sums and products of two stay whole numbers. */
const MOST = 1_000_000;
export const count = (least: number) =>
  v.pipe(
    v.number('must be a number'),
    v.integer('must be a whole number'),
    v.minValue(least, `must be at least ${least}`),
    v.maxValue(MOST, `must be at most ${MOST}`),
  );
export const ratio = v.pipe(
  v.number('must be a number'),
  v.minValue(0, 'must be between 0 and 1'),
  v.maxValue(1, 'must be between 0 and 1'),
);
export const flag = v.boolean('must be true or false');
export const text = v.string('must be text in quotation marks');

/** When a run evaluates or saves, as TrainingArguments has it. */
export const STRATEGIES = ['steps', 'epoch', 'no'] as const;
export const STRATEGY_FAULT = 'must be "steps", "epoch" or "no"';
