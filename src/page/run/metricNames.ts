/** Names of evaluation metrics as people read them, and whether a higher value is better. */
import { en } from '../language/en.ts';
import { t } from '../language/messages.svelte.ts';
import { isBetter } from '../../training/metrics.ts';
import type { MetricsLine } from '../../training/metrics.ts';

export { isBetter };

const LABELLED = Object.keys(en.metrics);
/** Those that every evaluation has, and those that need generated answers. */
export const SCORED = ['loss', 'perplexity', 'token_accuracy'];
export const GENERATED = [
  'rouge1',
  'rouge2',
  'rougeL',
  'rougeLsum',
  'bleu',
  'chrf',
  'exact_match',
  'stopped_share',
];

export function metricLabel(metric: string): string {
  return (t.metrics as Record<string, string | undefined>)[metric] ?? metric.replaceAll('_', ' ');
}

/** Of a step of a preference method, by what each chart shows. */
export function preferenceCurves(): { title: string; keys: string[] }[] {
  return [
    { title: t.run.rewardsCurve, keys: ['rewards/chosen', 'rewards/rejected'] },
    { title: metricLabel('rewards/margins'), keys: ['rewards/margins'] },
    { title: metricLabel('rewards/accuracies'), keys: ['rewards/accuracies'] },
    { title: t.run.logProbabilitiesCurve, keys: ['logps/chosen', 'logps/rejected'] },
    { title: metricLabel('kl'), keys: ['kl'] },
  ];
}

/**
 * Of a step of grpo: the reward of its answers, and of each function where there are several.
 * @param last training line
 */
export function rewardCurves(last: MetricsLine | object = {}): { title: string; keys: string[] }[] {
  if (!('reward' in last)) return [];
  const functions = Object.keys(last).filter((key) => /^rewards\/.+\/mean$/.test(key));
  return [
    { title: t.run.meanReward, keys: ['reward'] },
    ...(functions.length > 1 ? functions.map((key) => ({ title: key.slice(8, -5), keys: [key] })) : []),
    { title: t.run.answerLength, keys: ['completions/mean_length'] },
  ];
}

/**
 * Metrics that occur in evaluation lines, in their usual order, then those of the recipe's own.
 * @param sets names of the validation files
 */
export function metricsOf(lines: readonly MetricsLine[], sets: readonly string[] = []): string[] {
  const known = LABELLED.toSorted((a, b) => b.length - a.length);
  const found = new Set(
    lines
      .flatMap((line) => Object.keys(line))
      .flatMap((key) => known.find((metric) => key.startsWith('eval_') && key.endsWith(`_${metric}`)) ?? []),
  );
  const longest = [...sets].sort((a, b) => b.length - a.length);
  const own = lines
    .flatMap((line) => Object.keys(line))
    .flatMap((key) => {
      const set = longest.find((name) => key.startsWith(`eval_${name}_`));
      return set === undefined ? [] : [key.slice(`eval_${set}_`.length)];
    })
    .filter((metric) => !LABELLED.includes(metric));
  return [...LABELLED.filter((metric) => found.has(metric)), ...new Set(own)];
}
