/** What this browser keeps of one run while it trains: its record, checkpoints, evaluations and curves. */
import { NeedsConsentError } from '../../lib/errors.ts';
import { report } from '../../lib/errorLog.ts';
import { smallest } from '../../lib/extremes.ts';
import { newRun, type Database, type RunRecord } from '../../storage/database.ts';
import {
  endRun,
  findRun,
  latestCheckpoint,
  latestCheckpointStep,
  putCheckpoint,
  putPart,
  putRun,
  readPart,
  removePartOfOthers,
  updateRun,
} from '../../storage/runs.ts';
import { deleteEvaluation, listEvaluations, putEvaluation } from '../../storage/evaluations.ts';
import { wantedTokensPerMicroBatch } from '../../engine/engineRequest.ts';
import type { EvaluationResult } from '../../training/evaluation.ts';
import { linesOf, MetricsLog, type PlannedLines } from '../../training/kept/metricsLog.ts';
import { superfluousStep, type EvaluationAt } from '../../training/kept/keptEvaluations.ts';
import { curve, lossSets, type MetricsLine } from '../../training/metrics.ts';
import { withSampled, type SampledStep } from '../../training/reward/keptAnswers.ts';
import type { Checkpoint, RunResult, TrainerEvent } from '../../training/runRecord.ts';
import { bytesOf, withStep, type StepAdapter } from './stepAdapters.ts';
import type { RunRequest } from './trainerProtocol.ts';

export interface KeptEvaluation {
  name: string;
  step: number;
  result: EvaluationResult;
}

export class RunStore {
  private lines = new MetricsLog();
  private plannedLines?: PlannedLines;
  /** Of grpo: answers of the steps whose answers are kept. */
  private sampled: SampledStep[] = [];
  /** Of earlier steps of this session. */
  private steps: StepAdapter[] = [];
  /** The last checkpoint, where the database had no room for it. */
  private unsaved: Checkpoint | undefined;
  /** Of which evaluations the answers are kept, by validation set and step. */
  private readonly kept = new Map<string, EvaluationAt[]>();

  constructor(
    private readonly database: Database,
    private readonly runId: string,
  ) {}

  /** Writes the run's record, or takes up the record of the run that is resumed. */
  async begin(request: RunRequest): Promise<RunRecord> {
    const before = request.resumeRunId ? await findRun(this.database, this.runId) : undefined;
    const trainHashes = request.training.parts.map(({ sha256 }) => sha256);
    if (before?.trainHashes && before.trainHashes.join() !== trainHashes.join() && !request.consents)
      throw new NeedsConsentError(
        `This run was made with other rows: ${before.trainFile} has another SHA-256 now. Drop the file that it was started with. To go on with these rows all the same, press Resume once more; the run is then not what its recipe gives.`,
      );
    const record: RunRecord = {
      ...(before ?? newRun(this.runId)),
      state: 'running',
      message: null,
      modelId: request.modelId,
      modelName: request.modelName,
      trainFile: request.training.file,
      trainHashes,
      recipe: request.recipe,
      tokensPerMicroBatch: wantedTokensPerMicroBatch(request),
      startedFrom: request.startFrom?.name ?? before?.startedFrom ?? null,
    };
    await this.attempt(() => putRun(this.database, record));
    if (before) this.sampled = await this.sampledAnswers();
    if (before)
      for (const { name, step, result } of await this.evaluations())
        this.kept.set(name, [...(this.kept.get(name) ?? []), { step, loss: result.metrics.loss }]);
    return record;
  }

  /** Makes room for what a session will report. */
  expect(lines: PlannedLines): void {
    this.plannedLines = lines;
    this.lines = MetricsLog.of(this.lines.lines(), lines);
  }

  /** Changes the run's record. */
  async update(change: Partial<RunRecord>): Promise<void> {
    await this.attempt(() => updateRun(this.database, this.runId, change));
  }

  /** Keeps the curve and the evaluations that the training loop reports. */
  take(event: TrainerEvent): void {
    if (event.type === 'restored') this.lines = MetricsLog.of(event.lines, this.plannedLines);
    if (event.type === 'metrics') this.lines.push(event.line);
    if (event.type === 'sampled') this.sampled = withSampled(this.sampled, event);
    if (event.type === 'evaluated') {
      const { name, step, result } = event;
      void this.attempt(() => this.keep({ name, step, result }));
    }
  }

  /** Stores an evaluation, and drops one where a set has many. */
  private async keep({ name, step, result }: KeptEvaluation): Promise<void> {
    const { database, runId } = this;
    const others = (this.kept.get(name) ?? []).filter((other) => other.step !== step);
    let all = [...others, { step, loss: result.metrics.loss }].sort((a, b) => a.step - b.step);
    const dropped: number[] = [];
    // A run of an earlier version may have kept more than one too many.
    for (let drop = superfluousStep(all); drop !== null; drop = superfluousStep(all)) {
      const superfluous = drop;
      dropped.push(superfluous);
      all = all.filter((evaluation) => evaluation.step !== superfluous);
    }
    this.kept.set(name, all);
    await putEvaluation(database, { runId, name, step, result });
    for (const old of dropped) await deleteEvaluation(database, { runId, name, step: old });
  }

  /** @throws UserError where there is no room; the checkpoint is held in memory then */
  async save(checkpoint: Checkpoint): Promise<void> {
    // The adapter alone: a checkpoint holds the optimiser and the lines as well.
    this.steps = withStep(this.steps, { step: checkpoint.step, adapter: checkpoint.adapter });
    try {
      const most = checkpoint.recipe.training.save_total_limit ?? undefined;
      await putCheckpoint(this.database, this.runId, checkpoint.step, checkpoint, undefined, most);
      this.unsaved = undefined;
    } catch (error) {
      this.unsaved = checkpoint;
      throw error;
    }
    const { step, seconds, lines } = checkpoint;
    await this.keepSampled();
    await this.update({ step, seconds, losses: lossesOf(linesOf(lines)) });
  }

  async checkpoint(): Promise<Checkpoint | undefined> {
    return this.unsaved ?? ((await latestCheckpoint(this.database, this.runId)) as Checkpoint | undefined);
  }

  /** Step of the last checkpoint; 0 where there is none. */
  async savedStep(): Promise<number> {
    if (this.unsaved) return this.unsaved.step;
    try {
      return (await latestCheckpointStep(this.database, this.runId)) ?? 0;
    } catch (error) {
      report(error, 'looking for the last checkpoint');
      return 0;
    }
  }

  /** Of grpo, by step: those of this session, or those that were stored before. */
  async sampledAnswers(): Promise<SampledStep[]> {
    if (this.sampled.length > 0) return this.sampled;
    try {
      return ((await readPart(this.database, this.runId, 'sampled')) as SampledStep[] | undefined) ?? [];
    } catch (error) {
      report(error, 'reading the sampled answers');
      return [];
    }
  }

  private async keepSampled(): Promise<void> {
    if (this.sampled.length > 0)
      await this.attempt(() => putPart(this.database, this.runId, 'sampled', this.sampled));
  }

  /** By step. */
  async evaluations(): Promise<KeptEvaluation[]> {
    try {
      const kept = await listEvaluations(this.database, this.runId);
      return kept
        .map(({ name, step, result }) => ({ name, step, result: result as EvaluationResult }))
        .sort((a, b) => a.step - b.step);
    } catch (error) {
      report(error, 'reading the evaluations for the report');
      return [];
    }
  }

  /** The run ended in an error: its curve is kept, and its last checkpoint stays. */
  async fail(state: 'stopped' | 'failed', message: string): Promise<void> {
    await this.attempt(() => putPart(this.database, this.runId, 'lines', this.lines.lines()));
    await this.keepSampled();
    await this.update({ state, message });
  }

  /** The run is over: its adapter takes the place of its checkpoints. @throws where it cannot be stored */
  async end(result: RunResult, reportText: string): Promise<void> {
    const { reason, message, steps, adapterStep, seconds, lines, adapter, last } = result;
    const change: Partial<RunRecord> = {
      state: reason === 'early stopping' ? 'finished' : reason,
      message,
      step: steps,
      adapterStep,
      seconds,
      losses: lossesOf(lines),
      adapterBytes: bytesOf(adapter),
    };
    const parts = { adapter, lines, report: reportText };
    await this.keepSampled();
    await endRun(this.database, this.runId, change, parts, reason === 'stopped');
    await this.attempt(() => this.keepSteps(adapterStep));
    // A run that was stopped has its checkpoint. Of the others the latest keeps its optimiser.
    await this.attempt(() => removePartOfOthers(this.database, this.runId, 'state'));
    if (reason !== 'stopped' && last)
      await this.attempt(() => putPart(this.database, this.runId, 'state', last));
  }

  /** @param adapterStep whose adapter is kept by itself */
  private async keepSteps(adapterStep: number): Promise<void> {
    const others = this.steps.filter(({ step }) => step > 0 && step !== adapterStep);
    if (others.length === 0) return;
    await putPart(this.database, this.runId, 'steps', others);
    await this.update({ keptSteps: others.map(({ step }) => step) });
  }

  /** A failed write of anything but a checkpoint does not end the run; the report shows it. */
  private async attempt(write: () => Promise<unknown>): Promise<void> {
    await write().catch((error: unknown) => report(error, "storing a part of the run's record", 'warning'));
  }
}

/** First, lowest and last value of every loss curve that has one. */
export function lossesOf(lines: readonly MetricsLine[]): RunRecord['losses'] {
  const all = [
    ['training', curve(lines, 'loss').values] as const,
    ...lossSets(lines).map((name) => [name, curve(lines, `eval_${name}_loss`).values] as const),
  ];
  return Object.fromEntries(
    all
      .filter(([, values]) => values.length > 0)
      .map(([name, values]) => [name, { start: values[0], best: smallest(values), end: values.at(-1)! }]),
  );
}
