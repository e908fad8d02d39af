/**
 * Why a validation loss rose: what the run's record shows that often goes with it. Each sentence is a fact of
 * this run; which of them is the cause no record can say.
 */
import { t } from '../language/messages.svelte.ts';
import type { LossTrend } from '../../training/forgetting.ts';
import type { MetricsLine } from '../../training/metrics.ts';
import type { Recipe } from '../../training/recipe.ts';

export interface RunFacts {
  trends: readonly LossTrend[];
  /** Training lines of metrics.jsonl; made only where a loss rose. */
  readonly lines: readonly MetricsLine[];
  recipe: Pick<Recipe, 'training'>;
  /** Training rows, and how many of them repeat another; null where the rows are not on the page. */
  rows: { count: number; duplicates: number } | null;
}

export interface LossRise {
  name: string;
  /** What happened, in numbers. */
  what: string;
  /** Facts that often go with it, and what to try; none where the record shows none. */
  facts: string[];
}

/** Smaller rises above the best value are noise of small files. */
const LEAST_RISE = 0.02;
const LARGE_LEARNING_RATE = 1e-3;
const FEW_ROWS = 100;
const MANY_DUPLICATES = 0.05;
const SPIKE = 5;

/** @returns the validation files whose loss ended above its best value, with what is known of each */
export function lossRises(facts: RunFacts): LossRise[] {
  return facts.trends
    .filter(({ best, bestStep, last, lastStep }) => lastStep > bestStep && last - best > LEAST_RISE)
    .map((trend) => ({
      name: trend.name,
      what: t.explain.rose(trend),
      facts: [
        beforeTraining(trend),
        ofTraining(trend, facts),
        ofEpochs(trend, facts),
        ofLearningRate(trend, facts),
        ofSpikes(trend, facts),
        ofRows(facts),
        ofDuplicates(facts),
      ].filter((fact) => fact !== null),
    }));
}

function beforeTraining({ bestStep, name }: LossTrend): string | null {
  if (bestStep > 0) return null;
  return t.explain.bestBefore(name);
}

function ofTraining({ bestStep, lastStep }: LossTrend, { lines }: RunFacts): string | null {
  const losses = lines.filter(({ step, loss }) => step > bestStep && step <= lastStep && loss !== undefined);
  if (losses.length < 4) return null;
  // Single steps are noisy: the two halves are compared.
  const half = losses.length >> 1;
  const [before, after] = [mean(losses.slice(0, half)), mean(losses.slice(-half))];
  if (after < before - LEAST_RISE / 2) return t.explain.trainingFell(before, after);
  return after > before + LEAST_RISE / 2 ? t.explain.trainingRose(before, after) : null;
}

function ofEpochs({ bestStep, lastStep }: LossTrend, { lines }: RunFacts): string | null {
  const [best, last] = [epochAt(lines, bestStep), epochAt(lines, lastStep)];
  if (last === null || last < 1.5 || best === null) return null;
  return t.explain.seenOften(last, best);
}

function ofLearningRate({ bestStep }: LossTrend, { lines, recipe }: RunFacts): string | null {
  const rates = lines.filter(({ learning_rate: rate }) => rate !== undefined);
  if (rates.length === 0) return null;
  const peak = rates.reduce((most, line) => (line.learning_rate > most.learning_rate ? line : most));
  const { learning_rate: asked } = recipe.training;
  const large = asked > LARGE_LEARNING_RATE ? t.explain.largeRate(asked) : null;
  if (bestStep >= peak.step) return large;
  const before = t.explain.bestBeforePeak(peak.learning_rate, peak.step);
  return large === null ? before : `${before} ${large}`;
}

function ofSpikes({ bestStep, lastStep }: LossTrend, { lines, recipe }: RunFacts): string | null {
  const norms = lines.filter(({ grad_norm: norm }) => Number.isFinite(norm));
  if (norms.length < 5) return null;
  const usual = norms.map(({ grad_norm: norm }) => norm).sort((a, b) => a - b)[norms.length >> 1];
  const spikes = norms.filter(
    ({ step, grad_norm: norm }) => step > bestStep && step <= lastStep && norm > SPIKE * usual,
  );
  if (spikes.length === 0) return null;
  const [{ grad_norm: norm, step }] = spikes;
  const times = norm / usual;
  return t.explain.spikes({ norm, step, times, count: spikes.length, clip: recipe.training.max_grad_norm });
}

function ofRows({ rows }: RunFacts): string | null {
  if (!rows || rows.count >= FEW_ROWS) return null;
  return t.explain.fewRows(rows.count);
}

function ofDuplicates({ rows }: RunFacts): string | null {
  if (!rows || rows.count === 0 || rows.duplicates <= MANY_DUPLICATES * rows.count) return null;
  return t.explain.manyDuplicates(rows.duplicates, rows.count);
}

function epochAt(lines: readonly MetricsLine[], step: number): number | null {
  if (step === 0) return 0;
  return lines.find((line) => line.step === step && Number.isFinite(line.epoch))?.epoch ?? null;
}

function mean(lines: readonly MetricsLine[]): number {
  return lines.reduce((sum, { loss }) => sum + loss, 0) / lines.length;
}
