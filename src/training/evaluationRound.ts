/**
 * Evaluates all validation files at a step. A file that fails is left out from then on; the others and the
 * training go on.
 */
import { report } from '../lib/errorLog.ts';
import { isDeviceLost, messageOf } from '../lib/errors.ts';
import type { Evaluator } from './evaluation.ts';
import { evaluationKeys } from './metrics.ts';
import type { TrainerEvent } from './runRecord.ts';

export class EvaluationRounds {
  /** Why files could not be evaluated, by their names. */
  readonly failures = new Map<string, string>();

  constructor(
    private readonly evaluators: readonly Evaluator[],
    private readonly emit: (event: TrainerEvent) => void,
  ) {}

  /**
   * @returns figures of all files that could be evaluated, under their keys in metrics.jsonl, sorted by key
   * @throws DeviceLostError: no fault of a file, the run as a whole goes on elsewhere
   */
  async at(step: number): Promise<Record<string, number>> {
    const open = this.evaluators.filter(({ name }) => !this.failures.has(name));
    if (open.length === 0) return {};
    this.emit({ type: 'evaluating', step });
    const outcomes = await Promise.all(open.map((evaluator) => this.evaluate(evaluator, step)));
    const lost = outcomes.find((outcome) => outcome instanceof Error);
    if (lost) throw lost;
    const figures = outcomes.flatMap((outcome) => Object.entries(outcome));
    return Object.fromEntries(figures.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** @returns figures, none where the file failed; the error where the device was lost */
  private async evaluate(evaluator: Evaluator, step: number): Promise<Record<string, number> | Error> {
    const { name } = evaluator;
    try {
      const result = await evaluator.evaluate(step);
      this.emit({ type: 'evaluated', step, name, result });
      return evaluationKeys(name, result.metrics);
    } catch (error) {
      if (isDeviceLost(error)) return error;
      const message = messageOf(error);
      report(error, `evaluating ${name} at step ${step}`);
      this.failures.set(name, message);
      this.emit({ type: 'evaluationFailed', step, name, message });
      return {};
    }
  }
}
