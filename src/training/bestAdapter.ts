/**
 * Which evaluation was the best by the recipe's metric, with its adapter, and when the recipe's patience is
 * over.
 */
import type { AdapterTensors } from '../engine/engine.ts';
import { UserError } from '../lib/errors.ts';
import { isBetter, metricFault, metricOf, type MetricsLine } from './metrics.ts';
import type { Recipe } from './recipe.ts';
import type { BestAdapter } from './runRecord.ts';

export class BestAdapterKeeper {
  /**
   * @param best of the run that is resumed
   * @param names of the validation files
   */
  constructor(
    private readonly evaluation: Recipe['evaluation'],
    private readonly names: readonly string[],
    private best: BestAdapter | null,
    /** Names of the recipe's own metrics. */
    private readonly own: readonly string[] = [],
  ) {}

  /** A copy; null before the first evaluation, and where the recipe names no metric. */
  get kept(): BestAdapter | null {
    return this.evaluation.metric_for_best_model === null ? null : this.best && { ...this.best };
  }

  /** Whether `early_stopping_patience` evaluations in a row brought nothing better. */
  get isPatienceOver(): boolean {
    const { early_stopping_patience: patience } = this.evaluation;
    return patience > 0 && this.kept !== null && this.kept.stale >= patience;
  }

  /**
   * Compares an evaluation with the best one before it.
   * @param failures why files could not be evaluated, by their names
   * @param keptAt step of the last checkpoint; null where there is none
   * @throws UserError where the recipe's metric has no value: neither the best adapter nor an early end could
   * be decided from here on
   */
  async take(
    line: MetricsLine,
    failures: ReadonlyMap<string, string>,
    keptAt: number | null,
    readAdapter: () => Promise<AdapterTensors>,
  ): Promise<void> {
    const { metric_for_best_model: metric, greater_is_better, early_stopping_threshold } = this.evaluation;
    if (metric === null) return;
    const { step } = line;
    const value = line[metric];
    if (value === undefined) throw new UserError(this.missing(metric, step, failures, keptAt));
    if (this.best && !isBetter(metric, value, this.best.value, greater_is_better)) {
      this.best.stale++;
      return;
    }
    // As transformers has it: a gain that is too small is kept, but does not renew the patience.
    const isSmall = this.best && Math.abs(value - this.best.value) <= early_stopping_threshold;
    const stale = isSmall ? this.best!.stale + 1 : 0;
    this.best = { metric, value, step, adapter: await readAdapter(), stale };
  }

  private missing(
    metric: string,
    step: number,
    failures: ReadonlyMap<string, string>,
    keptAt: number | null,
  ): string {
    const found = metricOf(metric, this.names, this.own);
    const failure = found && failures.get(found.name);
    const cause =
      failure !== null && failure !== undefined
        ? `${found!.name} could not be evaluated at step ${step}: ${failure}. Its ${metric} is the metric_for_best_model`
        : `The evaluation of step ${step} has no ${metric}, which is the metric_for_best_model (${metricFault(this.evaluation, this.names, { own: this.own }) ?? 'no row of the file asks for an answer'})`;
    const next =
      keptAt === null
        ? 'Drop the file again and start again'
        : `The run is kept at step ${keptAt}: drop the file again and press Resume`;
    return `${cause}: without it the best adapter and an early end cannot be decided, so the training stops. ${next}, or start again with metric_for_best_model left empty.`;
  }
}
