/**
 * The training loop: epochs, steps, evaluation, checkpoints, early stopping. Drives an Engine and knows
 * nothing of GPUs or workers.
 */
import { BestAdapterKeeper } from './bestAdapter.ts';
import { CheckpointSaver, type CheckpointSaverOptions } from './checkpointSaver.ts';
import { NonFiniteError, type AdapterTensors } from '../engine/engine.ts';
import type { Evaluator } from './evaluation.ts';
import { EvaluationRounds } from './evaluationRound.ts';
import type { MetricsLine } from './metrics.ts';
import { MetricsLog, type PlannedLines } from './kept/metricsLog.ts';
import { evaluatesAt, plannedEvaluations } from './recipe/pauses.ts';
import { nameOf } from './recipe/scoringRecipe.ts';
import type { Checkpoint, EndReason, RunResult } from './runRecord.ts';
import { StepPipeline } from './stepPipeline.ts';
import { TrainingSteps, type StepMade, type TrainingStepsOptions } from './trainingSteps.ts';

export interface TrainerOptions extends TrainingStepsOptions, CheckpointSaverOptions {
  evaluators: readonly Evaluator[];
  resume?: Checkpoint;
  /** What to start from instead of a fresh adapter. */
  initial?: AdapterTensors;
  /** Milliseconds, for rates. */
  now?: () => number;
}

/** One run. `run` may be called once. */
export class Trainer {
  readonly totalSteps: number;
  private readonly steps: TrainingSteps;
  private readonly evaluations: EvaluationRounds;
  private readonly keeper: BestAdapterKeeper;
  private readonly saver: CheckpointSaver;
  private readonly lines: MetricsLog;
  private readonly now: () => number;
  /** Milliseconds of `now` at which the run would have begun without a break. */
  private started = 0;
  private inputTokens: number;
  private stopping = false;
  private unpause: (() => void) | null = null;
  private resting: Promise<void> | null = null;

  constructor(private readonly options: TrainerOptions) {
    const { recipe, resume, evaluators, emit } = options;
    this.now = options.now ?? (() => performance.now());
    this.steps = new TrainingSteps(options, (step, groups) => emit({ type: 'sampled', step, groups }));
    this.totalSteps = this.steps.total;
    this.evaluations = new EvaluationRounds(evaluators, emit);
    this.keeper = new BestAdapterKeeper(
      recipe.evaluation,
      evaluators.map(({ name }) => name),
      resume?.best ?? null,
      recipe.metrics.map(nameOf),
    );
    this.saver = new CheckpointSaver(options, this.now, this.steps.perEpoch);
    this.lines = MetricsLog.of(resume?.lines ?? [], this.plannedLines);
    this.inputTokens = resume?.inputTokens ?? 0;
  }

  get plannedLines(): PlannedLines {
    const { recipe } = this.options;
    return {
      steps: Math.ceil(this.totalSteps / recipe.training.logging_steps) + 1,
      evaluations: plannedEvaluations(recipe, this.steps.perEpoch, this.totalSteps),
    };
  }

  /** Ends at the next step border, keeping the adapter as it is. */
  stop(): void {
    this.stopping = true;
    this.resume();
  }

  pause(): void {
    if (this.resting) return;
    this.resting = new Promise((resolve) => (this.unpause = resolve));
    this.options.emit({ type: 'paused', paused: true });
  }

  resume(): void {
    if (!this.resting) return;
    this.unpause?.();
    this.resting = null;
    this.options.emit({ type: 'paused', paused: false });
  }

  /**
   * @throws DeviceLostError
   * @throws UserError where the recipe's metric_for_best_model cannot be evaluated any more
   */
  async run(): Promise<RunResult> {
    const { engine, recipe, resume } = this.options;
    this.started = this.now() - 1000 * (resume?.seconds ?? 0);
    await this.steps.prepare((done, total) => this.options.emit({ type: 'scoringReference', done, total }));
    await this.begin();
    const { reason, step, message } = await this.train(resume?.step ?? 0);
    if (reason !== 'finished') {
      if (reason === 'stopped' && recipe.evaluation.eval_strategy !== 'no' && !this.evaluatesAt(step))
        await this.evaluate(step, false);
      await this.save(step);
    }
    const last = {
      step,
      adapter: await engine.readAdapter(),
      optimizer: await engine.readOptimizer(),
    };
    const best = recipe.evaluation.load_best_model_at_end ? this.keeper.kept : null;
    if (best) await engine.loadAdapter(best.adapter);
    return {
      reason,
      message,
      steps: step,
      totalSteps: this.totalSteps,
      adapter: best?.adapter ?? last.adapter,
      adapterStep: best?.step ?? step,
      lines: this.lines.lines(),
      seconds: this.seconds,
      last,
    };
  }

  private get seconds(): number {
    return (this.now() - this.started) / 1000;
  }

  /** Brings the engine to where the run begins or goes on. */
  private async begin(): Promise<void> {
    const { engine, resume, initial, emit } = this.options;
    if (!resume) {
      if (initial) await engine.loadAdapter(initial);
      const { eval_on_start, eval_strategy } = this.options.recipe.evaluation;
      if (eval_on_start && eval_strategy !== 'no') await this.evaluate(0);
      await this.save(0);
      return;
    }
    await engine.loadAdapter(resume.adapter);
    await engine.loadOptimizer(resume.optimizer);
    await this.steps.restore(resume.sampled);
    this.saver.stored(resume.step);
    emit({ type: 'restored', step: resume.step, lines: this.lines.lines() });
  }

  private async train(from: number): Promise<{ reason: EndReason; step: number; message: string | null }> {
    const pipeline = new StepPipeline((number) => this.steps.train(number));
    let step = from;
    let begun = 0;
    let busyMs = 0;
    while (step < this.totalSteps) {
      if (pipeline.isEmpty) {
        if (this.resting) {
          await this.save(step);
          await this.resting;
        }
        if (this.stopping) return { reason: 'stopped', step, message: null };
        begun = this.now();
      }
      pipeline.fill(step, this.steps.ahead, (next) => this.mayFollow(next));
      let made: StepMade;
      try {
        made = await pipeline.next();
      } catch (error) {
        if (error instanceof NonFiniteError) return { reason: 'diverged', step, message: error.message };
        throw error;
      }
      step++;
      const ms = this.now() - begun;
      begun += ms;
      busyMs += ms;
      this.report(step, made, ms, busyMs / (step - from));
      if (this.evaluatesAt(step)) await this.evaluate(step);
      if (pipeline.isEmpty && this.saver.isDue(step) && step < this.totalSteps) await this.save(step);
      if (this.keeper.isPatienceOver) return { reason: 'early stopping', step, message: null };
    }
    return { reason: 'finished', step, message: null };
  }

  private evaluatesAt(step: number): boolean {
    return evaluatesAt(step, this.options.recipe, this.steps.perEpoch, this.totalSteps);
  }

  /** Whether nothing comes between `step` and the one before: it may be started before that one is over. */
  private mayFollow(step: number): boolean {
    return (
      step < this.totalSteps &&
      !this.stopping &&
      !this.resting &&
      !this.evaluatesAt(step) &&
      !this.saver.isDue(step)
    );
  }

  /**
   * @param step how many are over
   * @param ms of this one
   * @param meanMs of all since the run began or was resumed
   */
  private report(step: number, { tokens, figures }: StepMade, ms: number, meanMs: number): void {
    const { recipe, emit } = this.options;
    const { totalSteps } = this;
    const tokensPerSecond = (tokens / ms) * 1000;
    this.inputTokens += tokens;
    if (step % recipe.training.logging_steps === 0 || step === totalSteps)
      this.log({
        step,
        epoch: this.epochAt(step),
        ...figures,
        num_input_tokens_seen: this.inputTokens,
        tokens_per_second: Number(tokensPerSecond.toPrecision(6)),
      });
    const secondsLeft = (meanMs * (totalSteps - step)) / 1000;
    emit({ type: 'progress', step, totalSteps, tokensPerSecond, secondsLeft });
  }

  /** @param mustDecide whether the recipe's metric must have a value: training goes on by it */
  private async evaluate(step: number, mustDecide = true): Promise<void> {
    const { engine, recipe } = this.options;
    const figures = await this.evaluations.at(step);
    const line: MetricsLine = { step, epoch: this.epochAt(step), ...figures };
    if (Object.keys(figures).length > 0) this.log(line);
    const { metric_for_best_model: metric } = recipe.evaluation;
    if (mustDecide || (metric !== null && metric in figures))
      await this.keeper.take(line, this.evaluations.failures, this.saver.step, () => engine.readAdapter());
  }

  private save(step: number): Promise<void> {
    const { engine, recipe } = this.options;
    const sampled = this.steps.sampledAt(step);
    return this.saver.save(step, async () => ({
      recipe,
      step,
      adapter: await engine.readAdapter(),
      optimizer: await engine.readOptimizer(),
      inputTokens: this.inputTokens,
      lines: this.lines.stored(),
      best: this.keeper.kept,
      seconds: this.seconds,
      ...(sampled ? { sampled } : {}),
    }));
  }

  private log(line: MetricsLine): void {
    this.lines.push(line);
    this.options.emit({ type: 'metrics', line });
  }

  private epochAt(step: number): number {
    return Number((step / this.steps.perEpoch).toFixed(4));
  }
}
