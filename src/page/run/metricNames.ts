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
  rougeLsum: 'ROUGE-Lsum',
  bleu: 'BLEU',
  chrf: 'chrF',
  exact_match: 'exact match',
  mean_generated_length: 'mean generated length in tokens',
  gen_len: 'mean generated length in characters',
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

/** Of a step of grpo: the reward of its answers, and of each function where there are several. */
export function rewardCurves(lines: readonly MetricsLine[]): { title: string; keys: string[] }[] {
  const last = lines.at(-1) ?? {};
  if (!('reward' in last)) return [];
  const functions = Object.keys(last).filter((key) => /^rewards\/.+\/mean$/.test(key));
  return [
    { title: 'mean reward', keys: ['reward'] },
    ...(functions.length > 1 ? functions.map((key) => ({ title: key.slice(8, -5), keys: [key] })) : []),
    { title: 'length of answers in tokens', keys: ['completions/mean_length'] },
  ];
}

/**
 * Metrics that occur in evaluation lines, in their usual order, then those of the recipe's own.
 * @param sets names of the validation files
 */
export function metricsOf(lines: readonly MetricsLine[], sets: readonly string[] = []): string[] {
  const known = Object.keys(LABELS).sort((a, b) => b.length - a.length);
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
    .filter((metric) => !(metric in LABELS));
  return [...Object.keys(LABELS).filter((metric) => found.has(metric)), ...new Set(own)];
}
