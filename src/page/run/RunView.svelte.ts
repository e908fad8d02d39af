/** A run as the page shows it: its curves, its answers, its speed, its end. */
import { t } from '../language/messages.svelte.ts';
import { isGpuGone } from '../../lib/errors.ts';
import { trendOfCurve, type LossTrend } from '../../training/forgetting.ts';
import { evaluationKeys } from '../../training/metrics.ts';
import { linesOf, MetricsLog, type PlannedLines } from '../../training/kept/metricsLog.ts';
import { MOST_SHOWN_STEPS } from '../../training/reward/keptAnswers.ts';
import type { EvaluationResult } from '../../training/evaluation.ts';
import type { AnswerGroup } from '../../training/reward/sampledAnswers.ts';
import type { MetricsLine } from '../../training/metrics.ts';
import type { RunEvaluation } from '../../worker/history/historyProtocol.ts';
import type { KernelChoice, RunOutcome, TrainerWorkerEvent } from '../../worker/trainer/trainerProtocol.ts';
import { withoutSuperfluous, type Curve, type EvaluationState, type StepResult } from './runParts.ts';
import { reported } from '../errors/reported.ts';

export type { Curve, EvaluationState, StepResult };

export class RunView {
  /** Its record in this browser; null until there is one. */
  runId: string | null = null;
  /** Is called once it has a record. */
  onBegan: (runId: string) => void = () => undefined;
  /** Absent until they are decided, and where TensorFlow.js runs. */
  kernels = $state.raw<KernelChoice | null>(null);
  phase = $state<'preparing' | 'training' | 'evaluating' | 'ended' | 'failed'>('preparing');
  preparing = $state(t.run.starting);
  paused = $state(false);
  /** Stop was pressed; the current step is finished first. */
  stopping = $state(false);
  step = $state(0);
  totalSteps = $state(0);
  tokensPerSecond = $state(0);
  secondsLeft = $state(NaN);
  /** Lines of metrics.jsonl: of the training, and of evaluations as each file comes in. */
  private logs: { steps: MetricsLog; evaluations: MetricsLog };
  private lineCount = $state(0);
  private evaluationCount = $state(0);
  /** Evaluations with generated answers. */
  answered = $state.raw<RunEvaluation[]>([]);
  evaluations = $state.raw<EvaluationState[]>([]);
  /** Of grpo: the sampled answers of the last steps. */
  sampled = $state.raw<{ step: number; groups: AnswerGroup[] }[]>([]);
  savedStep = $state<number | null>(null);
  /** Why the last checkpoint could not be stored. */
  notSaved = $state<string | null>(null);
  /** What interrupted the run, and how it went on. */
  interruptions = $state<string[]>([]);
  notes = $state('');
  outcome = $state.raw<RunOutcome | null>(null);
  error = $state<string | null>(null);
  /** Whether it failed because the GPU does not come back. */
  isGpuGone = false;
  readonly training: Curve = $derived(this.curveOf('training', 'loss'));
  readonly validation: Curve[] = $derived(
    this.evaluations.map(({ name }) => this.curveOf(name, `eval_${name}_loss`)),
  );
  /** Start, best and last of each file that has a value. */
  readonly lossTrends: LossTrend[] = $derived(
    this.validation
      .map((points) => trendOfCurve(points.name, points, this.forgettingThreshold))
      .filter((trend): trend is LossTrend => trend !== null),
  );
  /** What the model forgets, a sentence for each file. */
  readonly alarms: string[] = $derived(
    this.lossTrends.map((trend) => t.run.forgetting(trend)).filter((text): text is string => text !== null),
  );

  /** @param names of the validation files @param forgettingThreshold the recipe's; null: no alarm */
  constructor(
    names: readonly string[],
    private readonly planned: PlannedLines,
    private readonly forgettingThreshold: number | null,
  ) {
    this.totalSteps = planned.steps;
    this.logs = { steps: new MetricsLog(planned), evaluations: new MetricsLog(planned) };
    this.evaluations = names.map((name) => ({
      name,
      failure: null,
      first: null,
      last: null,
      pending: false,
    }));
  }

  get active(): boolean {
    return this.phase !== 'ended' && this.phase !== 'failed';
  }

  /** What the run is doing, in words. */
  get doing(): string {
    switch (this.phase) {
      case 'preparing':
        return this.preparing;
      case 'training':
        if (this.stopping) return t.run.stoppingAfter(this.step + 1);
        return this.paused
          ? t.run.pausedAt(this.step)
          : t.run.trainingStep(Math.min(this.totalSteps, this.step + 1), this.totalSteps);
      case 'evaluating': {
        const pending = this.evaluations.filter((evaluation) => evaluation.pending).map(({ name }) => name);
        return t.run.evaluatingAt(this.step, pending);
      }
      case 'ended':
        return this.outcome ? t.run.ends[this.outcome.reason] : '';
      case 'failed':
        return t.run.failed;
    }
  }

  /** Training lines, made at each call: not for what is drawn with every step. */
  get lines(): MetricsLine[] {
    return this.lineCount === 0 ? [] : this.logs.steps.lines();
  }

  get evaluationLines(): MetricsLine[] {
    return this.evaluationCount === 0 ? [] : this.logs.evaluations.lines();
  }

  get lastLine(): MetricsLine | undefined {
    return this.lineCount === 0 ? undefined : this.logs.steps.last();
  }

  /** Points of a curve of metrics.jsonl under its key. */
  curveOf(name: string, key: string): Curve {
    const isEvaluation = key.startsWith('eval_');
    void (isEvaluation ? this.evaluationCount : this.lineCount);
    return { name, ...this.logs[isEvaluation ? 'evaluations' : 'steps'].curve(key) };
  }

  take(event: TrainerWorkerEvent): void {
    switch (event.type) {
      case 'began':
        this.runId = event.runId;
        this.onBegan(event.runId);
        this.notes = event.notes;
        return;
      case 'engine':
        this.preparing = t.run.preparing(event.progress);
        return;
      case 'kernels':
        this.kernels = event.kernels;
        return;
      case 'scoringReference':
        this.preparing = t.run.scoringReference(event.done, event.total);
        return;
      case 'sampled':
        this.sampled = [...this.sampled, { step: event.step, groups: event.groups }].slice(-MOST_SHOWN_STEPS);
        return;
      case 'metrics':
        this.takeLines([event.line]);
        return;
      case 'lines':
        this.takeLines(linesOf(event.lines));
        return;
      case 'progress':
        this.phase = 'training';
        this.step = event.step;
        this.totalSteps = event.totalSteps;
        this.tokensPerSecond = event.tokensPerSecond;
        this.secondsLeft = event.secondsLeft;
        return;
      case 'evaluating':
        this.phase = 'evaluating';
        this.evaluations = this.evaluations.map((evaluation) => ({
          ...evaluation,
          pending: evaluation.failure === null,
        }));
        return;
      case 'evaluated':
        this.evaluated(event.name, event.step, event.result);
        return;
      case 'evaluationFailed':
        this.changeEvaluation(event.name, () => ({ failure: event.message, pending: false }));
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
        this.preparing = t.run.openingGpu;
        this.interruptions.push(t.run.deviceLost(event.message, event.step));
        return;
      case 'evaluationWorkerRestarts':
        this.interruptions.push(t.run.workerRestarted(event.name, this.step, event.message));
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
    this.error = reported(error, 'running');
    this.isGpuGone = isGpuGone(error);
    this.phase = 'failed';
  }

  /** Why a validation file is not evaluated any more. */
  failureOf(name: string): string | null {
    return this.evaluations.find((evaluation) => evaluation.name === name)!.failure;
  }

  /** Those of steps: an evaluation's figures come with its event. */
  private takeLines(lines: readonly MetricsLine[]): void {
    for (const line of lines) if (line.loss !== undefined) this.logs.steps.push(line);
    this.lineCount = this.logs.steps.length;
  }

  private evaluated(name: string, step: number, result: EvaluationResult): void {
    this.logs.evaluations.push({ step, epoch: NaN, ...evaluationKeys(name, result.metrics) });
    this.evaluationCount++;
    const last = { step, result };
    this.changeEvaluation(name, ({ first }) => ({ first: first ?? last, last, pending: false }));
    if (result.answers.length > 0)
      this.answered = withoutSuperfluous([...this.answered, { name, step, result }]);
    if (this.step < step) this.step = step;
  }

  /** All up to a checkpoint: what comes after it is computed again. */
  private restore(step: number, lines: readonly MetricsLine[]): void {
    const isOfStep = ({ loss }: MetricsLine) => loss !== undefined;
    const logOf = (isIn: (line: MetricsLine) => boolean) => MetricsLog.of(lines.filter(isIn), this.planned);
    this.logs = { steps: logOf(isOfStep), evaluations: logOf((line) => !isOfStep(line)) };
    [this.lineCount, this.evaluationCount] = [this.logs.steps.length, this.logs.evaluations.length];
    this.answered = this.answered.filter((evaluation) => evaluation.step <= step);
    this.step = step;
    this.savedStep = step;
  }

  private changeEvaluation(
    name: string,
    change: (before: EvaluationState) => Partial<EvaluationState>,
  ): void {
    this.evaluations = this.evaluations.map((evaluation) =>
      evaluation.name === name ? { ...evaluation, ...change(evaluation) } : evaluation,
    );
  }
}
