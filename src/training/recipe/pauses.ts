/** After which steps a run evaluates and saves, by the recipe's strategies. */
import type { Recipe } from '../recipe.ts';

type Strategies = Pick<Recipe, 'evaluation' | 'training'>;

/** Whether a run evaluates after `step` steps. @param perEpoch steps @param total steps of the run */
export function evaluatesAt(
  step: number,
  { evaluation }: Strategies,
  perEpoch: number,
  total: number,
): boolean {
  switch (evaluation.eval_strategy) {
    case 'no':
      return false;
    case 'epoch':
      return step % perEpoch === 0 || step === total;
    case 'steps':
      return step % evaluation.eval_steps === 0 || step === total;
  }
}

/** How often a run evaluates, the start included. @param perEpoch steps */
export function plannedEvaluations({ evaluation }: Strategies, perEpoch: number, total: number): number {
  switch (evaluation.eval_strategy) {
    case 'no':
      return 0;
    case 'epoch':
      return 1 + Math.ceil(total / perEpoch);
    case 'steps':
      return 1 + Math.ceil(total / evaluation.eval_steps);
  }
}

/** Whether a run saves after `step` steps: where the recipe names no steps to save at, as it evaluates. */
export function savesAt(step: number, { evaluation, training }: Strategies, perEpoch: number): boolean {
  switch (training.save_strategy) {
    case 'no':
      return false;
    case 'epoch':
      return step % perEpoch === 0;
    case 'steps':
      if (training.save_steps > 0) return step % training.save_steps === 0;
      return evaluation.eval_strategy === 'epoch'
        ? step % perEpoch === 0
        : step % evaluation.eval_steps === 0;
  }
}
