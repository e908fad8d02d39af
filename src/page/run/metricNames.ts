/** Names of evaluation metrics as people read them, and whether a higher value is better. */
import { isBetter } from '../../training/metrics.ts';
import type { MetricsLine } from '../../training/metrics.ts';

export { isBetter };

const LABELS: Record<string, string> = {
  loss: 'loss',
  perplexity: 'perplexity',
  token_accuracy: 'token accuracy',
  rouge1: 'ROUGE-1',
  rouge2: 'ROUGE-2',
  rougeL: 'ROUGE-L',
  exact_match: 'exact match',
  mean_generated_length: 'mean generated length',
  stopped_share: 'share that stopped by itself',
  'rewards/accuracies': 'share of pairs in the right order',
  'rewards/margins': 'margin of rewards',
  'rewards/chosen': 'reward of wanted answers',
  'rewards/rejected': 'reward of unwanted answers',
  'logps/chosen': 'log-probability of wanted answers',
  'logps/rejected': 'log-probability of unwanted answers',
  kl: 'divergence from the base',
  nll_loss: 'negative log-likelihood of wanted answers',
};

/** Those that every evaluation has, and those that need generated answers. */
export const SCORED = ['loss', 'perplexity', 'token_accuracy'];
export const GENERATED = ['rouge1', 'rouge2', 'rougeL', 'exact_match', 'stopped_share'];

export function metricLabel(metric: string): string {
  return LABELS[metric] ?? metric.replaceAll('_', ' ');
}

/** Of a step of a preference method, by what each chart shows. */
export const PREFERENCE_CURVES = [
  { title: 'rewards', keys: ['rewards/chosen', 'rewards/rejected'] },
  { title: 'margin of rewards', keys: ['rewards/margins'] },
  { title: 'share of pairs in the right order', keys: ['rewards/accuracies'] },
  { title: 'log-probabilities of answers', keys: ['logps/chosen', 'logps/rejected'] },
  { title: 'divergence from the base', keys: ['kl'] },
] as const;

/** Metrics that occur in evaluation lines, in their usual order. */
export function metricsOf(lines: readonly MetricsLine[]): string[] {
  const known = Object.keys(LABELS).sort((a, b) => b.length - a.length);
  const found = new Set(
    lines
      .flatMap((line) => Object.keys(line))
      .flatMap((key) => known.find((metric) => key.startsWith('eval_') && key.endsWith(`_${metric}`)) ?? []),
  );
  return Object.keys(LABELS).filter((metric) => found.has(metric));
}
