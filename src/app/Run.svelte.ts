/** A run as the page shows it: its curves, its speed, its end. */
import type { EndReason, EvaluationResult, MetricsLine, RunOutcome, TrainerWorkerEvent } from '../worker/protocol.ts';
import { messageOf } from './text.ts';

export interface Curve {
  name: string;
  steps: number[];
  values: number[];
}

export interface StepResult {
  step: number;
  result: EvaluationResult;
}

export interface EvaluationState {
  name: string;
  failure: string | null;
  /** Of this sitting: a resumed run begins where it was saved. */
  first: StepResult | null;
  last: StepResult | null;
}

export class Run {
  phase = $state<'preparing' | 'training' | 'evaluating' | 'ended' | 'failed'>('preparing');
  preparing = $state('Starting');
  paused = $state(false);
  step = $state(0);
  totalSteps = $state(0);
  tokensPerSecond = $state(0);
  secondsLeft = $state(NaN);
  learningRate = $state(NaN);
  gradNorm = $state(NaN);
  training = $state.raw<Curve>({ name: 'training', steps: [], values: [] });
  validation = $state.raw<Curve[]>([]);
  evaluations = $state.raw<EvaluationState[]>([]);
  savedStep = $state<number | null>(null);
  /** Why the last checkpoint could not be stored. */
  notSaved = $state<string | null>(null);
  /** What cut the run off, and how it went on. */
  interruptions = $state<string[]>([]);
  outcome = $state.raw<RunOutcome | null>(null);
  error = $state<string | null>(null);

  constructor(names: readonly string[], totalSteps: number) {
    this.totalSteps = totalSteps;
    this.validation = names.map((name) => ({ name, steps: [], values: [] }));
    this.evaluations = names.map((name) => ({ name, failure: null, first: null, last: null }));
  }

  get active(): boolean {
    return this.phase !== 'ended' && this.phase !== 'failed';
  }

  /** What the machine is doing, in words. */
  get doing(): string {
    switch (this.phase) {
      case 'preparing':
        return this.preparing;
      case 'training':
        return this.paused ? `Paused at step ${this.step}` : `Training, step ${this.step} of ${this.totalSteps}`;
      case 'evaluating':
        return `Evaluating at step ${this.step}`;
      case 'ended':
        return this.outcome ? endText(this.outcome.reason) : '';
      case 'failed':
        return 'Failed';
    }
  }

  take(event: TrainerWorkerEvent): void {
    switch (event.type) {
      case 'engine':
        this.preparing =
          event.progress.phase === 'weights'
            ? `Loading weights, ${Math.round((100 * event.progress.done) / event.progress.total)} %`
            : `Compiling ${event.progress.done} of ${event.progress.total} shaders`;
        return;
      case 'metrics': {
        const { line } = event;
        if (line.loss !== undefined) {
          this.training = extended(this.training, line.step, line.loss);
          this.learningRate = line.learning_rate;
          this.gradNorm = line.grad_norm;
        }
        return;
      }
      case 'progress':
        this.phase = 'training';
        this.step = event.step;
        this.totalSteps = event.totalSteps;
        this.tokensPerSecond = event.tokensPerSecond;
        this.secondsLeft = event.secondsLeft;
        return;
      case 'evaluating':
        this.phase = 'evaluating';
        return;
      case 'evaluated':
        this.validation = this.validation.map((curve) => (curve.name === event.name ? extended(curve, event.step, event.result.metrics.loss) : curve));
        this.changeEvaluation(event.name, ({ first }) => {
          const last = { step: event.step, result: event.result };
          return { first: first ?? last, last };
        });
        return;
      case 'evaluationFailed':
        this.changeEvaluation(event.name, () => ({ failure: event.message }));
        return;
      case 'checkpoint':
        this.savedStep = event.step;
        this.notSaved = null;
        return;
      case 'paused':
        this.paused = event.paused;
        return;
      case 'checkpointFailed':
        this.notSaved = event.message;
        return;
      case 'deviceLost':
        this.phase = 'preparing';
        this.preparing = 'Taking the GPU anew';
        this.interruptions.push(`${event.message} The run goes on from step ${event.step} by itself.`);
        return;
      case 'restored':
        this.restore(event.step, event.lines);
        return;
    }
  }

  end(outcome: RunOutcome): void {
    this.outcome = outcome;
    this.phase = 'ended';
  }

  fail(error: unknown): void {
    this.error = messageOf(error);
    this.phase = 'failed';
  }

  /** The curves up to a checkpoint: what comes after it is computed again. */
  private restore(step: number, lines: readonly MetricsLine[]): void {
    const points = (name: string, key: string): Curve => {
      const known = lines.filter((line) => line[key] !== undefined);
      return { name, steps: known.map((line) => line.step), values: known.map((line) => line[key]) };
    };
    this.training = points('training', 'loss');
    this.validation = this.validation.map(({ name }) => points(name, `eval_${name}_loss`));
    this.step = step;
    this.savedStep = step;
  }

  /** Why a validation file is not evaluated any more. */
  failureOf(name: string): string | null {
    return this.evaluations.find((evaluation) => evaluation.name === name)!.failure;
  }

  private changeEvaluation(name: string, change: (before: EvaluationState) => Partial<EvaluationState>): void {
    this.evaluations = this.evaluations.map((evaluation) => (evaluation.name === name ? { ...evaluation, ...change(evaluation) } : evaluation));
  }
}

export function endText(reason: EndReason): string {
  switch (reason) {
    case 'finished':
      return 'Finished';
    case 'stopped':
      return 'Stopped; the adapter is kept as it was at that step';
    case 'early stopping':
      return 'Stopped early: the chosen metric no longer improved';
    case 'diverged':
      return 'Stopped because the numbers diverged; the adapter is the last good one';
  }
}

function extended({ name, steps, values }: Curve, step: number, value: number): Curve {
  return { name, steps: [...steps, step], values: [...values, value] };
}
