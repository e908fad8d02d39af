/** What a run is shown by: curves, and the state of each validation file's evaluation. */
import type { EvaluationResult } from '../../training/evaluation.ts';
import type { Numbers } from '../../training/metrics.ts';

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
