import type { Messages } from '../language/messages.svelte.ts';

type Term = keyof Messages['explain']['terms'];

const TERMS: Partial<Record<keyof Messages['metrics'], Term>> = {
  loss: 'loss',
  perplexity: 'perplexity',
  token_accuracy: 'tokenAccuracy',
  rouge1: 'rouge',
  rouge2: 'rouge',
  rougeL: 'rouge',
  rougeLsum: 'rouge',
  bleu: 'bleu',
  chrf: 'chrf',
  exact_match: 'exactMatch',
  mean_generated_length: 'lengths',
  gen_len: 'lengths',
  stopped_share: 'stopped',
  'rewards/accuracies': 'preferences',
  'rewards/margins': 'preferences',
  'rewards/chosen': 'preferences',
  'rewards/rejected': 'preferences',
};

/** The term that explains a metric of evaluations; undefined of a recipe's own. */
export function termOfMetric(metric: string): Term | undefined {
  return Object.hasOwn(TERMS, metric) ? TERMS[metric as keyof typeof TERMS] : undefined;
}
