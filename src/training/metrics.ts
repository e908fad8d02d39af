/**
 * metrics.jsonl, one object a line as transformers logs them: its keys, its curves, and which of two values
 * is better.
 */
import type { EvaluationMetrics } from './evaluation.ts';
import type { Recipe } from './recipe.ts';
import type { Method } from './preference/method.ts';

/** A line of metrics.jsonl; evaluation lines carry eval_<name>_loss and the rest. */
export type MetricsLine = { step: number; epoch: number } & Record<string, number>;

/** Steps or values of a curve. */
export type Numbers = readonly number[] | Float64Array;

export function metricsToJsonl(lines: readonly MetricsLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** Keys of an evaluation in a line: eval_<name>_<metric>. */
export function evaluationKeys(name: string, metrics: object): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics)
      .filter(([, value]) => value !== undefined)
      .map(([metric, value]) => [`eval_${name}_${metric}`, value as number]),
  );
}

/** Points of one curve: (step, value) of the lines that have the key. */
export function curve(lines: readonly MetricsLine[], key: string): { steps: number[]; values: number[] } {
  const points = lines.filter((line) => line[key] !== undefined);
  return { steps: points.map(({ step }) => step), values: points.map((line) => line[key]) };
}

/**
 * Names of the validation sets that have a loss, in alphabetical order. `eval_a_nll_loss` is the metric
 * nll_loss of set a, where there is such a set, not the loss of a set a_nll.
 */
export function lossSets(lines: readonly MetricsLine[]): string[] {
  const keys = new Set(lines.flatMap((line) => Object.keys(line)));
  const names = [...keys].flatMap((key) => /^eval_(.*)_loss$/s.exec(key)?.[1] ?? []);
  return names
    .filter((name) => !(name.endsWith('_nll') && keys.has(`eval_${name.slice(0, -'_nll'.length)}_loss`)))
    .sort();
}

interface MetricKind {
  /** Whether a larger value is better. */
  greaterIsBetter: boolean;
  /** Comes with `predict_with_generate` only. */
  generated: boolean;
  /** Comes with files of preferences only, under a method that learns from them. */
  preferences?: true;
}

/** The metrics of an evaluation. */
export const METRICS: Readonly<Record<keyof EvaluationMetrics, MetricKind>> = {
  loss: { greaterIsBetter: false, generated: false },
  perplexity: { greaterIsBetter: false, generated: false },
  token_accuracy: { greaterIsBetter: true, generated: false },
  rouge1: { greaterIsBetter: true, generated: true },
  rouge2: { greaterIsBetter: true, generated: true },
  rougeL: { greaterIsBetter: true, generated: true },
  rougeLsum: { greaterIsBetter: true, generated: true },
  bleu: { greaterIsBetter: true, generated: true },
  chrf: { greaterIsBetter: true, generated: true },
  exact_match: { greaterIsBetter: true, generated: true },
  // Shorter is better unless the recipe says otherwise: answers that do not end are the common fault.
  mean_generated_length: { greaterIsBetter: false, generated: true },
  gen_len: { greaterIsBetter: false, generated: true },
  stopped_share: { greaterIsBetter: true, generated: true },
  'rewards/chosen': { greaterIsBetter: true, generated: false, preferences: true },
  'rewards/rejected': { greaterIsBetter: false, generated: false, preferences: true },
  'rewards/accuracies': { greaterIsBetter: true, generated: false, preferences: true },
  'rewards/margins': { greaterIsBetter: true, generated: false, preferences: true },
  'logps/chosen': { greaterIsBetter: true, generated: false, preferences: true },
  'logps/rejected': { greaterIsBetter: false, generated: false, preferences: true },
  kl: { greaterIsBetter: false, generated: false, preferences: true },
  nll_loss: { greaterIsBetter: false, generated: false, preferences: true },
};

/** Of a metric, also of one of the recipe's own: those need answers, and more is better. */
function kindOf(metric: string): MetricKind {
  const known = METRICS as Readonly<Record<string, MetricKind | undefined>>;
  return known[metric] ?? { greaterIsBetter: true, generated: true };
}

/**
 * The file and the metric that a key such as eval_math_loss names; null where it names none of these files'
 * metrics.
 * @param own names of the recipe's own metrics
 */
export function metricOf(
  key: string,
  names: readonly string[],
  own: readonly string[] = [],
): { name: string; metric: string } | null {
  for (const metric of [...Object.keys(METRICS), ...own]) {
    const name = names.find((candidate) => key === `eval_${candidate}_${metric}`);
    if (name !== undefined) return { name, metric };
  }
  return null;
}

/**
 * Why `metric_for_best_model` cannot have a value in a run over these validation files; null where it can.
 */
export function metricFault(
  { metric_for_best_model: key, predict_with_generate }: Recipe['evaluation'],
  names: readonly string[],
  { method = 'sft', own = [] }: { method?: Method; own?: readonly string[] } = {},
): string | null {
  if (key === null) return null;
  if (names.length === 0)
    return `metric_for_best_model is "${key}", but there is no validation file. Drop one, or leave metric_for_best_model empty.`;
  const found = metricOf(key, names, own);
  if (!found) {
    const metrics = [...Object.keys(METRICS), ...own].join(', ');
    return `metric_for_best_model is "${key}", which no validation file has: write eval_<name>_<metric> with a name of ${names.join(', ')} and a metric of ${metrics}.`;
  }
  if (kindOf(found.metric).preferences && (method === 'sft' || method === 'grpo'))
    return `metric_for_best_model is "${key}", which only preference methods have: set method to one of them, or name another metric.`;
  if (kindOf(found.metric).generated && !predict_with_generate)
    return `metric_for_best_model is "${key}", which needs generated answers: set predict_with_generate to true.`;
  return null;
}

/**
 * @param key a metric, or its key in a line
 * @param greaterIsBetter as the recipe has it; null: by the metric
 */
export function isBetter(
  key: string,
  value: number,
  than: number,
  greaterIsBetter: boolean | null = null,
): boolean {
  const metric = Object.keys(METRICS).find((candidate) => key === candidate || key.endsWith(`_${candidate}`));
  const greater = greaterIsBetter ?? kindOf(metric ?? key).greaterIsBetter;
  return greater ? value > than : value < than;
}

export interface BestStep {
  name: string;
  metric: string;
  step: number;
  value: number;
}

/** Where each file was best by each of its metrics; the first of equal ones. */
export function bestSteps(
  lines: readonly MetricsLine[],
  names: readonly string[],
  own: readonly string[] = [],
): BestStep[] {
  const best = new Map<string, BestStep>();
  for (const line of lines) {
    for (const [key, value] of Object.entries(line)) {
      const found = metricOf(key, names, own);
      if (!found) continue;
      const before = best.get(key);
      if (!before || isBetter(key, value, before.value, null))
        best.set(key, { ...found, step: line.step, value });
    }
  }
  return [...best.values()];
}
