/**
 * The trend of each validation file's loss: where it was best, and whether the model forgets what it could do
 * at the start.
 */
import { placeOfBest } from '../lib/extremes.ts';
import { curve, type MetricsLine, type Numbers } from './metrics.ts';

export interface LossTrend {
  name: string;
  start: number;
  best: number;
  bestStep: number;
  last: number;
  lastStep: number;
  /**
   * The first evaluation at which the loss was above its start by more than the threshold; null where it
   * never was.
   */
  alarm: { step: number; loss: number } | null;
  /** Whether the last loss is above it too. */
  forgets: boolean;
}

/** @param threshold nats of loss; null: no alarm @returns null where the file has no value yet */
export function lossTrend(
  lines: readonly MetricsLine[],
  name: string,
  threshold: number | null,
): LossTrend | null {
  // A method's loss over preferences is no likelihood of a text that could be forgotten.
  const ofPreferences = lines.some((line) => `eval_${name}_rewards/chosen` in line);
  return trendOfCurve(name, curve(lines, `eval_${name}_loss`), ofPreferences ? null : threshold);
}

export function trendOfCurve(
  name: string,
  { steps, values }: { steps: Numbers; values: Numbers },
  threshold: number | null,
): LossTrend | null {
  if (values.length === 0) return null;
  const start = values[0];
  const above = (value: number) => threshold !== null && value > start + threshold;
  const best = placeOfBest(values, (value, lowest) => value < lowest);
  const first = values.findIndex(above);
  const last = values.length - 1;
  return {
    name,
    start,
    best: values[best],
    bestStep: steps[best],
    last: values[last],
    lastStep: steps[last],
    alarm: first < 0 ? null : { step: steps[first], loss: values[first] },
    forgets: above(values[last]),
  };
}

/** One sentence for the person; null where there is nothing to say. */
export function forgettingText({
  name,
  start,
  alarm,
  forgets,
  last,
  lastStep,
  bestStep,
}: LossTrend): string | null {
  if (!alarm) return null;
  const factor = (to: number) => `${Math.round(100 * Math.expm1(to - start))} % more perplexity`;
  const rise = `At step ${alarm.step} the loss of ${name} was ${alarm.loss.toFixed(3)}, above its start of ${start.toFixed(3)} (${factor(alarm.loss)}): the model forgets what this file asks.`;
  return forgets
    ? `${rise} Best was step ${bestStep}. Lower learning_rate, train for fewer steps, or mix such rows into the training file.`
    : `${rise} At step ${lastStep} it is back at ${last.toFixed(3)}.`;
}
