/**
 * One run in trainer.worker from start to end: its engine and its training loop. A lost device is replaced,
 * and the run goes on from its last checkpoint.
 */
import { wrap } from 'comlink';
import { DocumentTable } from '../../data/documentTable.ts';
import { NeedsConsentError, UserError, isDeviceLost, messageOf } from '../../lib/errors.ts';
import { report } from '../../lib/errorLog.ts';
import type { Database } from '../../storage/database.ts';
import { openModel } from '../../storage/storedWeights.ts';
import type { EngineHost } from '../../engine/engineHost.ts';
import { engineRequest, type EngineRequest } from '../../engine/engineRequest.ts';
import type { AdapterTensors, Engine } from '../../engine/engine.ts';
import { readKernelChoice, type KernelChoice } from '../../tuning/kernelChoice.ts';
import type { Evaluator } from '../../training/evaluation.ts';
import type { RunResult, TrainerEvent } from '../../training/runRecord.ts';
import { Trainer, type TrainerOptions } from '../../training/trainer.ts';
import type { EvaluationClients } from './evaluationClients.ts';
import type { RunOutcome, RunRequest, TrainerWorkerEvent } from './trainerProtocol.ts';
import type { RowsApi } from '../dataset/datasetProtocol.ts';
import type { PageTrace } from '../pageTrace.ts';
import { outcomeOf } from './runOutcome.ts';
import { runDemand } from './runDemand.ts';
import { openRewards, type RunRewards } from './runRewards.ts';
import { RunStore } from './runStore.ts';

/** The device may be lost this often without a new checkpoint in between. */
const LOSSES_IN_PLACE = 3;

export class RunSession {
  readonly runId: string;
  private trainer: Trainer | null = null;
  private engine: Engine | null = null;
  private kernels: KernelChoice | undefined;
  /** Of kto. */
  private labels: Uint8Array | null = null;
  private rewards: RunRewards | null = null;
  /** Of a resumed run: the device that it was trained on, until it was compared. */
  private deviceBefore: string | null = null;
  private stopping = false;
  private pausing = false;
  private readonly beganAt = new Date().toISOString();
  private readonly failures = new Map<string, string>();
  private readonly restarted = new Map<string, string>();
  private readonly store: RunStore;

  constructor(
    private readonly database: Database,
    private readonly engines: EngineHost,
    private readonly evaluationClients: EvaluationClients,
    private readonly request: RunRequest,
    private readonly onEvent: (event: TrainerWorkerEvent) => void,
    private readonly pageTrace: () => Promise<PageTrace>,
  ) {
    this.runId = request.resumeRunId ?? new Date().toISOString();
    this.store = new RunStore(database, this.runId);
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
    const { request, runId, store } = this;
    const { manifest } = await openModel(this.database, request.modelId);
    const rows = wrap<RowsApi>(request.rows);
    const documents = new DocumentTable(await rows.documents());
    this.labels = await rows.labels();
    this.rewards = await openRewards(this.database, request, await rows.prompts());
    const evaluators = request.evaluationPorts.map((ports) =>
      this.evaluationClients.connect(ports, () => this.engine!),
    );
    const { kernels, notes, device } = await store.begin(request);
    if (request.resumeRunId && !request.consents && device !== '') this.deviceBefore = device;
    this.engines.reportWaits((seconds) => void this.reportWait(seconds));
    this.kernels = readKernelChoice(kernels) ?? undefined;
    this.onEvent({ type: 'began', runId, notes });
    const result = await this.trainOverLosses(documents, evaluators).finally(() => this.rewards?.dispose());
    const engine = this.engine!;
    const outcome = await outcomeOf(
      {
        runId,
        beganAt: this.beganAt,
        request,
        result,
        manifest,
        engine,
        kernels: this.kernels,
        failures: this.failures,
        restarts: this.restarted,
        trace: await this.pageTrace(),
      },
      store,
    ).catch(async (error: unknown) => {
      await store.fail('failed', messageOf(error));
      throw error;
    });
    return { outcome, engine, adapter: result.adapter, kernels: this.kernels };
  }

  /** Trains; where the device is lost, again from the last checkpoint on a new one. */
  private async trainOverLosses(
    documents: TrainerOptions['documents'],
    evaluators: readonly Evaluator[],
  ): Promise<RunResult> {
    let lossesAt = -1;
    let losses = 0;
    for (;;) {
      try {
        return await this.train(documents, evaluators);
      } catch (error) {
        const isLost = isDeviceLost(error);
        report(error, 'training', isLost ? 'warning' : 'error');
        const step = await this.store.savedStep();
        losses = step === lossesAt ? losses + 1 : 1;
        lossesAt = step;
        if (!isLost) {
          await this.store.fail('failed', messageOf(error));
          throw error;
        }
        if (losses >= LOSSES_IN_PLACE) {
          const message = `The GPU was lost ${losses} times at the same place; the run is kept at step ${step}.`;
          await this.store.fail('stopped', message);
          throw new UserError(`${message} Restart the browser or the computer and press Resume.`);
        }
        this.onEvent({ type: 'deviceLost', step, message: messageOf(error) });
      } finally {
        this.trainer = null;
      }
    }
  }

  /** From the last checkpoint, or from the start, to the end. */
  private async train(
    documents: TrainerOptions['documents'],
    evaluators: readonly Evaluator[],
  ): Promise<RunResult> {
    const { request, store } = this;
    const checkpoint = await store.checkpoint();
    if (request.resumeRunId && !checkpoint)
      throw new UserError('This run has no checkpoint to go on from. Start it again.');
    this.engine = await this.createEngine();
    this.checkDevice(this.engine.device);
    const trainer = new Trainer({
      engine: this.engine,
      recipe: request.recipe,
      documents,
      labels: this.labels,
      rewards: this.rewards?.context,
      padTokenId: request.padTokenId,
      evaluators,
      emit: (event) => this.take(event),
      saveCheckpoint: (made) => store.save(made),
      resume: checkpoint,
      initial: request.startFrom?.tensors,
    });
    this.trainer = trainer;
    store.expect(trainer.plannedLines);
    await store.update({ totalSteps: trainer.totalSteps, device: this.engine.device, kernels: this.kernels });
    // Both may have been asked for while the engine was made.
    if (this.pausing) trainer.pause();
    if (this.stopping) trainer.stop();
    return trainer.run();
  }

  /**
   * A run that was made on another device does not go on here, to other bytes and perhaps ten times slower,
   * without being asked to.
   * @throws NeedsConsentError
   */
  private checkDevice(device: string): void {
    const before = this.deviceBefore;
    this.deviceBefore = null;
    if (!before || device === before) return;
    const isSlow = /TensorFlow\.js|swiftshader|llvmpipe|lavapipe/i;
    if (isSlow.test(device) && !isSlow.test(before))
      throw new NeedsConsentError(
        `This run was trained on ${before}; this browser now offers ${device}, which is many times slower and gives other bytes. Where the GPU was lost, Chromium gives it back after about two minutes: wait, or restart the browser. To go on as it is, press Resume once more.`,
      );
    throw new NeedsConsentError(
      `This run was trained on ${before}; this is ${device}. It would go on from the same numbers, but another adapter rounds otherwise: the bytes will be others than ${before} would give. To go on here, press Resume once more.`,
    );
  }

  private async reportWait(seconds: number): Promise<void> {
    const message = `Waiting for the GPU to come back: next attempt in ${seconds} s.`;
    this.onEvent({ type: 'deviceLost', step: await this.store.savedStep(), message });
  }

  private async createEngine(): Promise<Engine> {
    const { weights } = await openModel(this.database, this.request.modelId);
    const request = engineRequest(runDemand(this.request), weights);
    await this.settleKernels(request);
    return this.engines.create({
      ...request,
      weights,
      level: this.kernels?.level,
      seed: this.request.recipe.training.seed,
      onProgress: (progress) => this.onEvent({ type: 'engine', progress }),
    });
  }

  /** A run keeps its level to its end, also after a reload, so that it resumes to the same bytes. */
  private async settleKernels(request: EngineRequest): Promise<void> {
    if (!this.kernels || !(await this.engines.canRun(this.kernels))) {
      this.kernels = await this.engines.settleKernels(
        request,
        () => this.stopping,
        () =>
          this.onEvent({
            type: 'engine',
            progress: { phase: 'measuring', done: 0, total: 1, unit: 'measurements' },
          }),
      );
    }
    if (this.kernels) this.onEvent({ type: 'kernels', kernels: this.kernels });
  }

  private take(event: TrainerEvent): void {
    if (event.type === 'evaluationFailed') this.failures.set(event.name, event.message);
    this.store.take(event);
    this.onEvent(event);
  }
}
