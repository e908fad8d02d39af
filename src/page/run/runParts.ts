/** What a run is shown by: curves, and the state of each validation file's evaluation. */
import type { EvaluationResult } from '../../training/evaluation.ts';
import { superfluousStep } from '../../training/kept/keptEvaluations.ts';
import type { Numbers } from '../../training/metrics.ts';
import type { RunEvaluation } from '../../worker/history/historyProtocol.ts';

export interface Curve {
  name: string;
  steps: Numbers;
  values: Numbers;
}

export interface StepResult {
  step: number;
  result: EvaluationResult;
}

export interface EvaluationState {
  name: string;
  failure: string | null;
  /** Since the run was started or resumed. */
  first: StepResult | null;
  last: StepResult | null;
  /** Being evaluated now. */
  pending: boolean;
}

/** At most as many of the newest one's set as are stored. */
export function withoutSuperfluous(answered: RunEvaluation[]): RunEvaluation[] {
  const { name } = answered.at(-1)!;
  const ofSet = answered.filter((evaluation) => evaluation.name === name);
  const drop = superfluousStep(ofSet.map(({ step, result }) => ({ step, loss: result.metrics.loss })));
  return answered.filter((evaluation) => evaluation.name !== name || evaluation.step !== drop);
}
