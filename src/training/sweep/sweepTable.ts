/** The runs of a sweep in one table: what differs, the losses of every validation file, which was best. */
import { csvOf } from '../../data/files/csvText.ts';
import { lossTrend, trendOfCurve, type LossTrend } from '../forgetting.ts';
import { curve, isBetter, lossSets, type MetricsLine } from '../metrics.ts';

/** How a run of a queue stands. */
export type QueuedState = 'waiting' | 'running' | 'done' | 'failed' | 'interrupted';

export interface SweptRun {
  name: string;
  settings: Readonly<Record<string, number>>;
  state: QueuedState;
  /** finished, stopped, early stopping or diverged; null before its end. */
  reason: string | null;
  message: string | null;
  runId: string | null;
  steps: number;
  /** null where it has not ended. */
  seconds: number | null;
  lines: readonly MetricsLine[];
}

export interface SweepRow extends SweptRun {
  /** By 'training' and each validation set. */
  losses: Record<string, LossTrend | null>;
  /** Best value of the recipe's metric_for_best_model. */
  metric: { value: number; step: number } | null;
}

export interface SweepTable {
  /** Keys whose values differ between the runs. */
  keys: string[];
  /** Validation sets of any of the runs. */
  sets: string[];
  /** The recipe's metric_for_best_model. */
  metric: string | null;
  rows: SweepRow[];
  /** Index of the best run; null where none has ended. */
  best: number | null;
  /** By what it was found, in words. */
  basis: string;
}

/** What decides which run is best: of the recipe's `evaluation`. */
export interface SweepMetric {
  metric_for_best_model: string | null;
  greater_is_better: boolean | null;
}

export function sweepTable(runs: readonly SweptRun[], choice: SweepMetric): SweepTable {
  const sets = [...new Set(runs.flatMap(({ lines }) => lossSets(lines)))].sort();
  const { metric_for_best_model: metric, greater_is_better: greater } = choice;
  const all = [...new Set(runs.flatMap(({ settings }) => Object.keys(settings)))];
  const keys = all.filter((key) => new Set(runs.map(({ settings }) => settings[key])).size > 1);
  const rows = runs.map((run): SweepRow => {
    const training = trendOfCurve('training', curve(trained(run.lines), 'loss'), null);
    const losses = Object.fromEntries(sets.map((name) => [name, lossTrend(run.lines, name, null)]));
    return { ...run, losses: { training, ...losses }, metric: bestOf(run.lines, metric, greater) };
  });
  const { score, better, basis } = criterion(sets, metric, greater);
  let best: number | null = null;
  rows.forEach((row, i) => {
    const value = isWhole(row) ? score(row) : null;
    if (value === null || !Number.isFinite(value)) return;
    if (best === null || better(value, score(rows[best])!)) best = i;
  });
  return { keys, sets, metric, rows, best, basis };
}

/** A line a run, its heading first. */
export function sweepCsv({ keys, sets, metric, rows, best }: SweepTable): string {
  const names = ['training', ...sets];
  const head = [
    'run',
    ...keys,
    'state',
    ...names.flatMap((name) => {
      const key = name === 'training' ? 'loss' : `eval_${name}_loss`;
      return [`${key}_start`, `${key}_best`, `${key}_best_step`, `${key}_end`];
    }),
    ...(metric === null ? [] : [`best_${metric}`, `best_${metric}_step`]),
    ...['steps', 'seconds', 'is_best', 'run_id', 'message'],
  ];
  const lines = rows.map((row, i) => [
    row.name,
    ...keys.map((key) => row.settings[key]),
    row.reason ?? row.state,
    ...names.flatMap((name) => {
      const trend = row.losses[name];
      return [trend?.start, trend?.best, trend?.bestStep, trend?.last];
    }),
    ...(metric === null ? [] : [row.metric?.value, row.metric?.step]),
    row.steps,
    row.seconds && Number(row.seconds.toFixed(3)),
    ...[i === best ? 'yes' : 'no', row.runId, row.message],
  ]);
  return csvOf([head, ...lines]);
}

/** Runs that were stopped or diverged had other steps: they are shown and not compared. */
function isWhole({ state, reason }: SweptRun): boolean {
  return state === 'done' && (reason === 'finished' || reason === 'early stopping');
}

function trained(lines: readonly MetricsLine[]): MetricsLine[] {
  return lines.filter((line) => line.loss !== undefined);
}

function bestOf(
  lines: readonly MetricsLine[],
  key: string | null,
  greater: boolean | null,
): SweepRow['metric'] {
  if (key === null) return null;
  const { steps, values } = curve(lines, key);
  return values.reduce<SweepRow['metric']>(
    (best, value, i) =>
      best === null || isBetter(key, value, best.value, greater) ? { value, step: steps[i] } : best,
    null,
  );
}

interface Criterion {
  score: (row: SweepRow) => number | null;
  better: (value: number, than: number) => boolean;
  basis: string;
}

/** The recipe's metric; without one the loss at the end, of which the adapter is handed out. */
function criterion(sets: readonly string[], metric: string | null, greater: boolean | null): Criterion {
  if (metric !== null)
    return {
      score: (row) => row.metric?.value ?? null,
      better: (value, than) => isBetter(metric, value, than, greater),
      basis: `the best value of ${metric}`,
    };
  const names = sets.length > 0 ? sets : ['training'];
  const ofNames =
    sets.length === 0
      ? 'training loss at the end, as there is no validation file'
      : sets.length === 1
        ? `loss of ${sets[0]} at the end`
        : `mean loss of ${sets.join(', ')} at the end`;
  return {
    score: (row) => {
      const ends = names.map((name) => row.losses[name]?.last);
      return ends.some((end) => end === undefined)
        ? null
        : ends.reduce<number>((sum, end) => sum + end!, 0) / ends.length;
    },
    better: (value, than) => value < than,
    basis: `the lowest ${ofNames}`,
  };
}
