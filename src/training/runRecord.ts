/** The events of a run, the checkpoint that it can be resumed from, and its result. */
import type { AdapterTensors, OptimizerState } from '../engine/engine.ts';
import type { EvaluationResult } from './evaluation.ts';
import type { StoredLines } from './kept/metricsLog.ts';
import type { MetricsLine } from './metrics.ts';
import type { Recipe } from './recipe.ts';
import type { AnswerGroup, SampledBatch } from './reward/sampledAnswers.ts';

export type TrainerEvent =
  | { type: 'metrics'; line: MetricsLine }
  | { type: 'progress'; step: number; totalSteps: number; tokensPerSecond: number; secondsLeft: number }
  /** Answers are scored under the reference, before the first step: micro-batches. */
  | { type: 'scoringReference'; done: number; total: number }
  /** Of grpo: the answers that a step is made with, before it is made. */
  | { type: 'sampled'; step: number; groups: AnswerGroup[] }
  | { type: 'evaluating'; step: number }
  | { type: 'evaluated'; step: number; name: string; result: EvaluationResult }
  | { type: 'evaluationFailed'; step: number; name: string; message: string }
  | { type: 'checkpoint'; step: number }
  /** A checkpoint could not be stored: the run goes on, but would not survive the tab. */
  | { type: 'checkpointFailed'; step: number; message: string }
  /** The run was resumed from a checkpoint: these are all lines up to it. */
  | { type: 'restored'; step: number; lines: MetricsLine[] }
  | { type: 'paused'; paused: boolean };

/**
 * Everything that a resumed run needs so that its result is that of an uninterrupted one.
 * Structured-cloneable.
 */
export interface Checkpoint {
  recipe: Recipe;
  step: number;
  adapter: AdapterTensors;
  optimizer: OptimizerState;
  inputTokens: number;
  /** Earlier versions stored the lines themselves. */
  lines: StoredLines | MetricsLine[];
  best: BestAdapter | null;
  /** Seconds that the run had worked up to here, all sessions together. */
  seconds?: number;
  /** Of grpo: answers that further steps are made with. */
  sampled?: SampledBatch;
}

export interface BestAdapter {
  metric: string;
  value: number;
  step: number;
  adapter: AdapterTensors;
  /** Evaluations since then that brought no better value. */
  stale: number;
}

export type EndReason = 'finished' | 'stopped' | 'early stopping' | 'diverged';

export interface RunResult {
  reason: EndReason;
  /** Why it diverged. */
  message: string | null;
  steps: number;
  totalSteps: number;
  adapter: AdapterTensors;
  /** Step of the adapter: the best evaluation's where the recipe names a metric. */
  adapterStep: number;
  lines: MetricsLine[];
  seconds: number;
  /** Of a run that came to its end: what another machine goes on with, whichever adapter is handed out. */
  last?: RunState;
}

/** Adapter and optimiser after a step. */
export interface RunState {
  step: number;
  adapter: AdapterTensors;
  optimizer: OptimizerState;
}
