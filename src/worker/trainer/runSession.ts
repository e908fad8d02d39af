/** One run from start to end: its engine, its trainer, and what is kept of it. A lost device is replaced, and the run goes on from its last checkpoint. */
import { wrap } from 'comlink';
import { DocumentTable } from '../../data/documentTable.ts';
import { smallest } from '../../lib/extremes.ts';
import { version } from '../../../package.json';
import { UserError, isDeviceLost } from '../../lib/errors.ts';
import type { RequestMade } from '../../lib/requests.ts';
import { sha256Hex } from '../../lib/sha256.ts';
import type { EvaluationResult } from '../../training/evaluation.ts';
import { newRun, type Database, type ModelManifest, type RunRecord } from '../../storage/database.ts';
import { openModel } from '../../storage/models.ts';
import {
  endRun,
  findRun,
  latestCheckpoint,
  latestCheckpointStep,
  putCheckpoint,
  listEvaluations,
  putEvaluation,
  putPart,
  putRun,
  updateRun,
} from '../../storage/runs.ts';
import type { WeightSource } from '../../formats/tensors.ts';
import type { EngineHost } from '../../engine/engineHost.ts';
import { engineRequest, wantedTokensPerMicroBatch } from '../../engine/engineRequest.ts';
import type { AdapterTensors, Engine } from '../../engine/engine.ts';
import type { KernelChoice } from '../../tuning/kernelChoice.ts';
import { curve, metricsToJsonl, type MetricsLine } from '../../training/metrics.ts';
import { recipeToJson } from '../../training/recipe.ts';
import { writeReport } from '../../export/report.ts';
import type { Checkpoint, RunResult, TrainerEvent } from '../../training/runRecord.ts';
import { Trainer } from '../../training/trainer.ts';
import type { EvaluationClients } from './evaluationClients.ts';
import type { RunOutcome, RunRequest, TrainerWorkerEvent } from './trainerProtocol.ts';
import type { RowsApi } from '../dataset/datasetProtocol.ts';
import { adapterFolder } from '../history/runFiles.ts';

/** So often may the device be lost without a new checkpoint in between. */
const LOSSES_IN_PLACE = 3;
/** Milliseconds that kernels may be measured before the first step. */
const MEASURING_MS = 5000;

export class RunSession {
  readonly runId: string;
  private trainer: Trainer | null = null;
  private engine: Engine | null = null;
  private kernels: KernelChoice | undefined;
  private stopping = false;
  private pausing = false;
  /** The last checkpoint, where the database had no room for it. */
  private unsaved: Checkpoint | undefined;
  private lines: MetricsLine[] = [];
  private readonly failures = new Map<string, string>();
  private readonly restarted = new Map<string, string>();

  constructor(
    private readonly database: Database,
    private readonly engines: EngineHost,
    private readonly evaluationClients: EvaluationClients,
    private readonly request: RunRequest,
    private readonly onEvent: (event: TrainerWorkerEvent) => void,
    private readonly requestsMade: () => Promise<RequestMade[]>,
  ) {
    this.runId = request.resumeRunId ?? new Date().toISOString();
  }

  pause(): void {
    this.pausing = true;
    this.trainer?.pause();
  }

  resume(): void {
    this.pausing = false;
    this.trainer?.resume();
  }

  stop(): void {
    this.stopping = true;
    this.trainer?.stop();
  }

  /** A validation file's worker died and another takes its place. */
  restarts(name: string, message: string): void {
    this.restarted.set(name, message);
    this.onEvent({ type: 'evaluationWorkerRestarts', name, message });
  }

  /** @returns the outcome, with the engine that holds the adapter */
  async run(): Promise<{
    outcome: RunOutcome;
    engine: Engine;
    adapter: AdapterTensors;
    kernels?: KernelChoice;
  }> {
    const { database, request, runId } = this;
    const { manifest } = await openModel(database, request.modelId);
    const documents = new DocumentTable(await wrap<RowsApi>(request.rows).documents());
    const evaluators = request.evaluationPorts.map((ports) =>
      this.evaluationClients.connect(ports, () => this.engine!),
    );
    await this.begin();
    let lossesAt = -1;
    let losses = 0;
    for (;;) {
      try {
        const checkpoint =
          this.unsaved ?? ((await latestCheckpoint(database, runId)) as Checkpoint | undefined);
        if (request.resumeRunId && !checkpoint)
          throw new UserError('This run has no checkpoint to go on from. Start it again.');
        this.engine = await this.createEngine();
        this.trainer = new Trainer({
          engine: this.engine,
          recipe: request.recipe,
          documents,
          padTokenId: request.padTokenId,
          evaluators,
          emit: (event) => this.take(event),
          saveCheckpoint: (made) => this.save(made),
          resume: checkpoint,
          initial: request.startFrom?.tensors,
        });
        await this.keep(() =>
          updateRun(database, runId, {
            totalSteps: this.trainer!.totalSteps,
            device: this.engine!.device,
            kernels: this.kernels,
          }),
        );
        if (this.pausing) this.trainer.pause();
        if (this.stopping) this.trainer.stop();
        const result = await this.trainer.run();
        return {
          outcome: await this.end(result, manifest),
          engine: this.engine,
          adapter: result.adapter,
          kernels: this.kernels,
        };
      } catch (error) {
        const step = await this.savedStep();
        losses = step === lossesAt ? losses + 1 : 1;
        lossesAt = step;
        if (!isDeviceLost(error) || losses >= LOSSES_IN_PLACE) {
          const message = isDeviceLost(error)
            ? `The GPU was lost ${losses} times at the same place; the run is kept at step ${step}.`
            : messageOf(error);
          await this.keep(() => putPart(database, runId, 'lines', this.lines));
          await this.keep(() =>
            updateRun(database, runId, { state: isDeviceLost(error) ? 'stopped' : 'failed', message }),
          );
          throw isDeviceLost(error)
            ? new UserError(`${message} Restart the browser or the computer and press Resume.`)
            : error;
        }
        this.onEvent({ type: 'deviceLost', step, message: messageOf(error) });
      } finally {
        this.trainer = null;
      }
    }
  }

  private async createEngine(): Promise<Engine> {
    const { recipe, modelId } = this.request;
    const { weights } = await openModel(this.database, modelId);
    const { lora, tokensPerMicroBatch, gradientCheckpointing, memoryAim } = engineRequest(
      this.request,
      weights,
    );
    await this.settleKernels(weights);
    return this.engines.create({
      weights,
      lora,
      tokensPerMicroBatch,
      gradientCheckpointing,
      memoryAim,
      kernels: this.kernels,
      seed: recipe.training.seed,
      onProgress: (progress) => this.onEvent({ type: 'engine', progress }),
    });
  }

  /** A run keeps its kernels to its end, over reloads too, so that it goes on to the same bytes. */
  private async settleKernels(weights: WeightSource): Promise<void> {
    if (!this.kernels || !(await this.engines.canRun(this.kernels))) {
      this.kernels = await this.engines.settleKernels(engineRequest(this.request, weights), {
        budgetMs: MEASURING_MS,
        stopped: () => this.stopping,
        onProgress: (done, total) =>
          this.onEvent({ type: 'engine', progress: { phase: 'measuring', done, total, unit: 'shapes' } }),
      });
    }
    if (this.kernels) this.onEvent({ type: 'kernels', kernels: this.kernels });
  }

  private async begin(): Promise<void> {
    const { database, request, runId } = this;
    const before = request.resumeRunId ? await findRun(database, runId) : undefined;
    this.kernels = before?.kernels;
    const record: RunRecord = {
      ...(before ?? newRun(runId)),
      state: 'running',
      message: null,
      modelId: request.modelId,
      modelName: request.modelName,
      trainFile: request.training.file,
      recipe: request.recipe,
      tokensPerMicroBatch: wantedTokensPerMicroBatch(request),
      startedFrom: request.startFrom?.name ?? before?.startedFrom ?? null,
    };
    await this.keep(() => putRun(database, record));
    this.onEvent({ type: 'began', runId, notes: record.notes });
  }

  private take(event: TrainerEvent): void {
    const { database, runId } = this;
    if (event.type === 'evaluationFailed') this.failures.set(event.name, event.message);
    if (event.type === 'restored') this.lines = [...event.lines];
    if (event.type === 'metrics') this.lines.push(event.line);
    if (event.type === 'evaluated')
      void this.keep(() =>
        putEvaluation(database, { runId, name: event.name, step: event.step, result: event.result }),
      );
    this.onEvent(event);
  }

  private async save(checkpoint: Checkpoint): Promise<void> {
    const { database, runId } = this;
    try {
      await putCheckpoint(database, runId, checkpoint.step, checkpoint);
      this.unsaved = undefined;
    } catch (error) {
      this.unsaved = checkpoint;
      throw error;
    }
    await this.keep(() =>
      updateRun(database, runId, {
        step: checkpoint.step,
        seconds: checkpoint.seconds,
        losses: lossesOf(checkpoint.lines),
      }),
    );
  }

  private async savedStep(): Promise<number> {
    return (
      this.unsaved?.step ?? (await latestCheckpointStep(this.database, this.runId).catch(() => null)) ?? 0
    );
  }

  /** What is kept beside checkpoints does not end a run where it cannot be: a checkpoint that fails says so to the person. */
  private async keep(write: () => Promise<unknown>): Promise<void> {
    await write().catch(() => undefined);
  }

  private async end(result: RunResult, manifest: ModelManifest): Promise<RunOutcome> {
    const { database, request, runId } = this;
    const { recipe, modelName, training, validation } = request;
    const { reason, message, steps, totalSteps, adapterStep, seconds, lines, adapter } = result;
    const folder = adapterFolder(
      { recipe, modelName, adapter, adapterStep, totalSteps, lines },
      manifest.texts,
    );
    const tensors = folder.get('adapter_model.safetensors')!;
    const report = writeReport({
      recipe,
      modelName,
      model: { storedSha256: await storedSha256(manifest), files: manifest.files },
      adapter: { sha256: await sha256Hex(tensors), bytes: tensors.byteLength },
      versions: { finetab: version, browser: navigator.userAgent },
      evaluations: (await listEvaluations(database, runId).catch(() => []))
        .map((kept) => ({ ...kept, result: kept.result as EvaluationResult }))
        .sort((a, b) => a.step - b.step),
      requests: await this.requestsMade(),
      device: this.engine!.device,
      kernels: this.kernels,
      memory: this.engine!.memory,
      training,
      validation: validation.map((file) => ({
        ...file,
        failure: this.failures.get(file.name) ?? null,
        restarted: this.restarted.get(file.name) ?? null,
      })),
      result,
    });
    const change: Partial<RunRecord> = {
      state: reason === 'early stopping' ? 'finished' : reason,
      message,
      step: steps,
      adapterStep,
      seconds,
      losses: lossesOf(lines),
      adapterBytes: [...adapter.values()].reduce((sum, { data }) => sum + data.byteLength, 0),
    };
    let notKept: string | null = null;
    try {
      await endRun(database, runId, change, { adapter, lines, report }, reason === 'stopped');
    } catch (error) {
      notKept = messageOf(error);
    }
    return {
      runId,
      notKept,
      reason,
      message,
      steps,
      totalSteps,
      adapterStep,
      seconds,
      losses: lossesOf(lines),
      adapter: folder,
      metricsJsonl: metricsToJsonl(lines),
      recipeJson: recipeToJson(recipe),
      report,
    };
  }
}

/** Of the weights as they are stored: over the hashes of their pieces, tensor by tensor. */
function storedSha256({ tensors }: ModelManifest): Promise<string> {
  const pieces = tensors.flatMap(({ name, chunks }) =>
    chunks.map(({ part, byteOffset, sha256 }) => `${name} ${part} ${byteOffset} ${sha256}\n`),
  );
  return sha256Hex(new TextEncoder().encode(pieces.join('')));
}

function lossesOf(lines: readonly MetricsLine[]): RunRecord['losses'] {
  const names = new Set(
    lines.flatMap((line) => Object.keys(line).flatMap((key) => /^eval_(.+)_loss$/.exec(key)?.[1] ?? [])),
  );
  const all = [
    ['training', curve(lines, 'loss').values] as const,
    ...[...names].sort().map((name) => [name, curve(lines, `eval_${name}_loss`).values] as const),
  ];
  return Object.fromEntries(
    all
      .filter(([, values]) => values.length > 0)
      .map(([name, values]) => [name, { start: values[0], best: smallest(values), end: values.at(-1)! }]),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
