/** What figures mean: which is better, which a recipe may choose by, and where each file was best. */
import { BUILT_IN_METRICS } from '../../src/training/recipe.ts';
import { describe, expect, it } from 'vitest';
import {
  bestSteps,
  isBetter,
  METRICS,
  metricFault,
  metricOf,
  type MetricsLine,
} from '../../src/training/metrics.ts';
import { parseRecipe } from '../../src/training/recipe.ts';

const evaluation = (metric_for_best_model: string | null, predict_with_generate = false) =>
  parseRecipe({ evaluation: { metric_for_best_model, predict_with_generate } }).evaluation;

describe('metrics', () => {
  it('keeps the names of all that has no slash from the recipe', () => {
    const names = Object.keys(METRICS).filter((name) => !name.includes('/'));
    expect([...BUILT_IN_METRICS].sort()).toEqual([...names, 'reward'].sort());
  });

  it('knows for each which way is better', () => {
    const greater = Object.keys(METRICS).filter((metric) => isBetter(`eval_math_${metric}`, 2, 1, null));
    expect(greater).toEqual([
      'token_accuracy',
      'rouge1',
      'rouge2',
      'rougeL',
      'rougeLsum',
      'bleu',
      'chrf',
      'exact_match',
      'stopped_share',
      'rewards/chosen',
      'rewards/accuracies',
      'rewards/margins',
      'logps/chosen',
    ]);
    for (const metric of Object.keys(METRICS)) {
      expect(isBetter(`eval_math_${metric}`, 1, 1, null), metric).toBe(false);
      expect(isBetter(metric, 2, 1), metric).toBe(greater.includes(metric));
      expect(isBetter(`eval_math_${metric}`, 1, 2, null), metric).toBe(!greater.includes(metric));
    }
  });

  it('lets the recipe say the other way', () => {
    expect(isBetter('eval_a_mean_generated_length', 2, 1, true)).toBe(true);
    expect(isBetter('eval_a_loss', 2, 1, true)).toBe(true);
    expect(isBetter('eval_a_rougeL', 2, 1, false)).toBe(false);
  });

  it('finds file and metric in a key, whatever the file is called', () => {
    expect(metricOf('eval_a_b_token_accuracy', ['a', 'a_b'])).toEqual({
      name: 'a_b',
      metric: 'token_accuracy',
    });
    expect(metricOf('eval_loss_loss', ['loss'])).toEqual({ name: 'loss', metric: 'loss' });
    expect(metricOf('eval_a_wer', ['a'])).toBeNull();
    expect(metricOf('eval_a_wer', ['a'], ['wer'])).toEqual({ name: 'a', metric: 'wer' });
    expect(metricOf('eval_b_loss', ['a'])).toBeNull();
  });

  it('says before the start why a metric will never come', () => {
    expect(metricFault(evaluation(null), [])).toBeNull();
    expect(metricFault(evaluation('eval_math_loss'), ['math'])).toBeNull();
    expect(metricFault(evaluation('eval_math_rougeL', true), ['math'])).toBeNull();
    expect(metricFault(evaluation('eval_math_loss'), [])).toMatch(/there is no validation file. Drop one/);
    expect(metricFault(evaluation('eval_maths_loss'), ['math', 'chat'])).toMatch(
      /no validation file has: write eval_<name>_<metric> with a name of math, chat and a metric of loss, perplexity/,
    );
    expect(metricFault(evaluation('eval_math_exact_match'), ['math'])).toMatch(
      /needs generated answers: set predict_with_generate to true/,
    );
  });

  it('keeps where each file was best, by each of its figures; the first of equal ones', () => {
    const lines = [
      { step: 0, epoch: 0, eval_a_loss: 3, eval_a_rougeL: 10, eval_b_loss: 1 },
      { step: 1, epoch: 0.1, loss: 2 },
      { step: 4, epoch: 0.4, eval_a_loss: 2, eval_a_rougeL: 30, eval_b_loss: 2 },
      { step: 8, epoch: 0.8, eval_a_loss: 2, eval_a_rougeL: 20, eval_b_loss: 3 },
    ] as MetricsLine[];
    expect(bestSteps(lines, ['a', 'b'])).toEqual([
      { name: 'a', metric: 'loss', step: 4, value: 2 },
      { name: 'a', metric: 'rougeL', step: 4, value: 30 },
      { name: 'b', metric: 'loss', step: 0, value: 1 },
    ]);
  });
});
