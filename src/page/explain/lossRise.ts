/**
 * Why a validation loss rose: what the run's record shows that often goes with it. Each sentence is a fact of
 * this run; which of them is the cause no record can say.
 */
import type { LossTrend } from '../../training/forgetting.ts';
import type { MetricsLine } from '../../training/metrics.ts';
import type { Recipe } from '../../training/recipe.ts';

export interface RunFacts {
  trends: readonly LossTrend[];
  /** Training lines of metrics.jsonl. */
  lines: readonly MetricsLine[];
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
      what: `${trend.name} was best at step ${trend.bestStep} with ${figure(trend.best)}, and ${figure(trend.last)} at step ${trend.lastStep}.`,
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
  return `It was best before the first step: training never improved ${name}, it only moved away from it. Rows like those of ${name} in the training file, or a lower learning_rate, keep more of it.`;
}

function ofTraining({ bestStep, lastStep }: LossTrend, { lines }: RunFacts): string | null {
  const losses = lines.filter(({ step, loss }) => step > bestStep && step <= lastStep && loss !== undefined);
  if (losses.length < 4) return null;
  // Single steps are noisy: the two halves are compared.
  const half = losses.length >> 1;
  const [before, after] = [mean(losses.slice(0, half)), mean(losses.slice(-half))];
  const span = `Meanwhile the training loss went from ${figure(before)} to ${figure(after)} (means of both halves)`;
  if (after < before - LEAST_RISE / 2)
    return `${span}: it fell while this one rose, so the run came to know its own rows better and these less. Fewer steps, or a smaller r, hold that back.`;
  return after > before + LEAST_RISE / 2
    ? `${span}: it rose too, so not these rows alone got worse. A lower learning_rate is the first thing to try.`
    : null;
}

function ofEpochs({ bestStep, lastStep }: LossTrend, { lines }: RunFacts): string | null {
  const [best, last] = [epochAt(lines, bestStep), epochAt(lines, lastStep)];
  if (last === null || last < 1.5 || best === null) return null;
  return `Each row had been seen ${times(last)} at the end, and ${times(best)} at the best step. metric_for_best_model hands out the best step; a lower num_train_epochs ends sooner.`;
}

function ofLearningRate({ bestStep }: LossTrend, { lines, recipe }: RunFacts): string | null {
  const rates = lines.filter(({ learning_rate: rate }) => rate !== undefined);
  if (rates.length === 0) return null;
  const peak = rates.reduce((most, line) => (line.learning_rate > most.learning_rate ? line : most));
  const { learning_rate: asked } = recipe.training;
  const large =
    asked > LARGE_LEARNING_RATE
      ? ` learning_rate is ${asked}, above the 1e-4 to 5e-4 that suit most runs.`
      : '';
  if (bestStep < peak.step)
    return `The best step lies before the learning rate reached its peak of ${peak.learning_rate} at step ${peak.step}: the rise came with larger steps.${large}`;
  return large === '' ? null : large.trim();
}

function ofSpikes({ bestStep, lastStep }: LossTrend, { lines, recipe }: RunFacts): string | null {
  const norms = lines.filter(({ grad_norm: norm }) => Number.isFinite(norm));
  if (norms.length < 5) return null;
  const usual = norms.map(({ grad_norm: norm }) => norm).sort((a, b) => a - b)[norms.length >> 1];
  const spikes = norms.filter(
    ({ step, grad_norm: norm }) => step > bestStep && step <= lastStep && norm > SPIKE * usual,
  );
  if (spikes.length === 0) return null;
  const first = spikes[0];
  const times = `${rounded(first.grad_norm / usual)} times its usual size`;
  const inAll = spikes.length > 1 ? `, and large ${spikes.length} times in all` : '';
  return `The gradient's norm was ${figure(first.grad_norm)} at step ${first.step}, ${times}${inAll}; it is clipped to max_grad_norm ${recipe.training.max_grad_norm}. Look at the rows of that step.`;
}

function ofRows({ rows }: RunFacts): string | null {
  if (!rows || rows.count >= FEW_ROWS) return null;
  return `There are only ${rows.count} training rows: few rows are learned by heart soon.`;
}

function ofDuplicates({ rows }: RunFacts): string | null {
  if (!rows || rows.count === 0 || rows.duplicates <= MANY_DUPLICATES * rows.count) return null;
  return `${rows.duplicates} of ${rows.count} training rows repeat another one: these weigh more than the rest. The data doctor lists them.`;
}

function epochAt(lines: readonly MetricsLine[], step: number): number | null {
  if (step === 0) return 0;
  return lines.find((line) => line.step === step && Number.isFinite(line.epoch))?.epoch ?? null;
}

function mean(lines: readonly MetricsLine[]): number {
  return lines.reduce((sum, { loss }) => sum + loss, 0) / lines.length;
}

const figure = (value: number) => value.toFixed(3);
const times = (epochs: number) => (epochs === 1 ? 'once' : `${rounded(epochs)} times`);
const rounded = (value: number) => `${Number(value.toPrecision(2))}`;
