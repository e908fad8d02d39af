/** The training loop: epochs, steps, evaluation, checkpoints, early stopping. Drives an Engine and knows nothing of GPUs or workers. */
import type { DocumentTable } from '../data/documentTable.ts';
import { isDeviceLost } from '../lib/errors.ts';
import { BatchSampler, microBatchesOf } from './batches.ts';
import { NonFiniteError, type AdapterTensors, type Engine } from '../engine/engine.ts';
import type { Evaluator } from './evaluation.ts';
import { evaluationKeys, isBetter, type MetricsLine } from './metrics.ts';
import { examplesPerStep, type Recipe } from './recipe.ts';
import type { BestAdapter, Checkpoint, EndReason, RunResult, TrainerEvent } from './runRecord.ts';
import { learningRate, totalSteps, warmupSteps, type Schedule } from './schedule.ts';

export interface TrainerOptions {
  engine: Engine;
  recipe: Recipe;
  documents: DocumentTable;
  padTokenId: number;
  evaluators: readonly Evaluator[];
  emit: (event: TrainerEvent) => void;
  saveCheckpoint?: (checkpoint: Checkpoint) => Promise<void>;
  resume?: Checkpoint;
  /** What to start from instead of a fresh adapter. */
  initial?: AdapterTensors;
  /** Milliseconds, for rates. */
  now?: () => number;
}

interface StepMade {
  /** Tokens of its rows. */
  count: number;
  line: { loss: number; grad_norm: number; learning_rate: number };
}

/** A checkpoint is taken at least this often, so that a closed tab costs little. */
const SAVE_EVERY_MS = 60_000;

export class Trainer {
  readonly totalSteps: number;
  private readonly schedule: Schedule;
  private readonly sampler: BatchSampler;
  private readonly lines: MetricsLine[];
  private best: BestAdapter | null;
  private inputTokens: number;
  private stopping = false;
  private unpause: (() => void) | null = null;
  private resting: Promise<void> | null = null;
  private savedStep = -1;
  private savedAt = 0;
  private readonly failed = new Set<string>();

  constructor(private readonly options: TrainerOptions) {
    const { recipe, documents, resume } = options;
    const { training } = recipe;
    this.sampler = new BatchSampler(documents.length, recipe);
    this.totalSteps = totalSteps(
      documents.length,
      examplesPerStep(recipe),
      training.num_train_epochs,
      training.max_steps,
    );
    this.schedule = {
      ...training,
      warmupSteps: warmupSteps(this.totalSteps, training),
      totalSteps: this.totalSteps,
    };
    this.lines = [...(resume?.lines ?? [])];
    this.best = resume?.best ?? null;
    this.inputTokens = resume?.inputTokens ?? 0;
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

  async run(): Promise<RunResult> {
    const { engine, recipe, resume, initial, emit, now = () => performance.now() } = this.options;
    const started = now() - 1000 * (resume?.seconds ?? 0);
    let step = resume?.step ?? 0;
    let reason: EndReason = 'finished';
    let message: string | null = null;
    if (resume) {
      await engine.loadAdapter(resume.adapter);
      await engine.loadOptimizer(resume.optimizer);
      this.savedStep = step;
      this.savedAt = now();
      emit({ type: 'restored', step, lines: [...this.lines] });
    } else {
      if (initial) await engine.loadAdapter(initial);
      await this.evaluate(0);
      await this.save(0, started);
    }
    let busyMs = 0;
    let stepsTaken = 0;
    let begun = 0;
    /** Steps that were asked for and are not over. */
    const asked: Promise<StepMade>[] = [];
    const ask = (number: number) => {
      const made = this.step(number);
      // An error is met in its turn; what was asked for behind a failed step is given up with it.
      made.catch(() => undefined);
      asked.push(made);
    };
    while (step < this.totalSteps) {
      if (asked.length === 0) {
        if (this.resting) {
          await this.save(step, started);
          await this.resting;
        }
        if (this.stopping) {
          reason = 'stopped';
          break;
        }
        begun = now();
        ask(step);
      }
      while (asked.length <= engine.stepsAhead && this.goesStraightOn(step + asked.length))
        ask(step + asked.length);
      const tokens = await asked.shift()!.catch((error: unknown) => {
        if (!(error instanceof NonFiniteError)) throw error;
        message = error.message;
        return null;
      });
      if (tokens === null) {
        reason = 'diverged';
        break;
      }
      step++;
      const ms = now() - begun;
      begun += ms;
      busyMs += ms;
      stepsTaken++;
      const tokensPerSecond = (tokens.count / ms) * 1000;
      this.inputTokens += tokens.count;
      if (step % recipe.training.logging_steps === 0 || step === this.totalSteps) {
        this.log({
          step,
          epoch: this.epochAt(step),
          ...tokens.line,
          num_input_tokens_seen: this.inputTokens,
          tokens_per_second: Number(tokensPerSecond.toPrecision(6)),
        });
      }
      emit({
        type: 'progress',
        step,
        totalSteps: this.totalSteps,
        tokensPerSecond,
        secondsLeft: ((busyMs / stepsTaken) * (this.totalSteps - step)) / 1000,
      });
      if (step % recipe.evaluation.eval_steps === 0 || step === this.totalSteps) await this.evaluate(step);
      if (asked.length === 0 && this.isSaveDue(step) && step < this.totalSteps)
        await this.save(step, started);
      const { early_stopping_patience: patience, metric_for_best_model } = recipe.evaluation;
      if (this.best && metric_for_best_model && patience > 0 && this.best.stale >= patience) {
        reason = 'early stopping';
        break;
      }
    }
    if (reason !== 'finished') {
      if (reason === 'stopped' && step % recipe.evaluation.eval_steps !== 0) await this.evaluate(step);
      await this.save(step, started);
    }
    const best = recipe.evaluation.metric_for_best_model ? this.best : null;
    if (best) await engine.loadAdapter(best.adapter);
    return {
      reason,
      message,
      steps: step,
      totalSteps: this.totalSteps,
      adapter: best?.adapter ?? (await engine.readAdapter()),
      adapterStep: best?.step ?? step,
      lines: this.lines,
      seconds: (now() - started) / 1000,
    };
  }

  /** Whether `step` follows the one before with nothing between them: it may be asked for before that one is over. */
  private goesStraightOn(step: number): boolean {
    return (
      step < this.totalSteps &&
      !this.stopping &&
      !this.resting &&
      step % this.options.recipe.evaluation.eval_steps !== 0 &&
      !this.isSaveDue(step)
    );
  }

  private isSaveDue(step: number): boolean {
    const { recipe, saveCheckpoint, now = () => performance.now() } = this.options;
    if (!saveCheckpoint) return false;
    return (
      step % (recipe.training.save_steps || recipe.evaluation.eval_steps) === 0 ||
      now() - this.savedAt >= SAVE_EVERY_MS
    );
  }

  private async step(step: number): Promise<StepMade> {
    const { engine, recipe, documents, padTokenId } = this.options;
    const { weight_decay, max_grad_norm, loraplus_lr_ratio } = recipe.training;
    const rate = learningRate(step, this.schedule);
    const rows = this.sampler.rowsOf(step);
    const microBatches = microBatchesOf(documents, rows, {
      tokens: engine.tokensPerMicroBatch,
      padTokenId,
    });
    const { loss, gradNorm } = await engine.trainStep({
      microBatches,
      step,
      learningRate: rate,
      weightDecay: weight_decay,
      maxGradNorm: max_grad_norm,
      loraPlusLrRatio: loraplus_lr_ratio,
    });
    return {
      count: rows.reduce((sum, row) => sum + documents.lengths[row], 0),
      line: { loss, grad_norm: gradNorm, learning_rate: rate },
    };
  }

  private async evaluate(step: number): Promise<void> {
    const { evaluators, emit, engine, recipe } = this.options;
    const open = evaluators.filter(({ name }) => !this.failed.has(name));
    if (open.length === 0) return;
    emit({ type: 'evaluating', step });
    const line: MetricsLine = { step, epoch: this.epochAt(step) };
    const losses = await Promise.all(
      open.map(async (evaluator) => {
        try {
          const result = await evaluator.evaluate(step);
          Object.assign(line, evaluationKeys(evaluator.name, result.metrics));
          emit({ type: 'evaluated', step, name: evaluator.name, result });
        } catch (error) {
          if (isDeviceLost(error)) return error;
          this.failed.add(evaluator.name);
          emit({
            type: 'evaluationFailed',
            step,
            name: evaluator.name,
            message: error instanceof Error ? error.message : String(error),
          });
        }
      }),
    );
    // That is no fault of the files: the run as a whole goes on elsewhere.
    const lost = losses.find((error) => error !== undefined);
    if (lost) throw lost;
    const ordered = Object.fromEntries(
      Object.entries(line).sort(
        ([a], [b]) =>
          Number(a.startsWith('eval_')) - Number(b.startsWith('eval_')) ||
          (a < b && a.startsWith('eval_') ? -1 : 0),
      ),
    );
    if (Object.keys(line).length > 2) this.log(ordered as MetricsLine);
    const metric = recipe.evaluation.metric_for_best_model;
    if (!metric || line[metric] === undefined) return;
    if (this.best && !isBetter(metric, line[metric], this.best.value, recipe.evaluation.greater_is_better))
      this.best.stale++;
    else this.best = { metric, value: line[metric], step, adapter: await engine.readAdapter(), stale: 0 };
  }

  /** Stores a checkpoint of a step once. One that does not fit does not end the run. */
  private async save(step: number, started: number): Promise<void> {
    const { engine, recipe, saveCheckpoint, emit, now = () => performance.now() } = this.options;
    if (!saveCheckpoint || this.savedStep === step) return;
    const checkpoint = {
      recipe,
      step,
      adapter: await engine.readAdapter(),
      optimizer: await engine.readOptimizer(),
      inputTokens: this.inputTokens,
      lines: [...this.lines],
      best: this.best && { ...this.best },
      seconds: (now() - started) / 1000,
    };
    this.savedAt = now();
    try {
      await saveCheckpoint(checkpoint);
      this.savedStep = step;
      emit({ type: 'checkpoint', step });
    } catch (error) {
      emit({
        type: 'checkpointFailed',
        step,
        message: error instanceof Error ? error.message : String(error),
      });
    }
  }

  private log(line: MetricsLine): void {
    this.lines.push(line);
    this.options.emit({ type: 'metrics', line });
  }

  private epochAt(step: number): number {
    return Number((step / this.sampler.stepsPerEpoch).toFixed(4));
  }
}
