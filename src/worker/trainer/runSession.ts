/**
 * One run in trainer.worker from start to end: its engine and its training loop. A lost device is replaced,
 * and the run goes on from its last checkpoint.
 */
import { wrap } from 'comlink';
import { DocumentTable } from '../../data/documentTable.ts';
import { GpuGoneError, UserError, isDeviceLost, messageOf } from '../../lib/errors.ts';
import { report } from '../../lib/errorLog.ts';
import type { Database } from '../../storage/database.ts';
import { openModel } from '../../storage/storedWeights.ts';
import type { EngineHost } from '../../engine/engineHost.ts';
import { isHeadInQ8_0, keptHead } from '../../engine/headDtype.ts';
import { engineRequest, type EngineRequest } from '../../engine/engineRequest.ts';
import type { AdapterTensors, Engine } from '../../engine/engine.ts';
import { readKernelChoice, type KernelChoice } from '../../tuning/kernelChoice.ts';
import type { Evaluator } from '../../training/evaluation.ts';
import type { RunResult, TrainerEvent } from '../../training/runRecord.ts';
import { refuseOtherDevice } from '../../training/otherDevice.ts';
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
  /** How its head lay when it was begun; absent: as the recipe has it. */
  private headInQ8_0: boolean | undefined;
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
    const { kernels, headInQ8_0, notes, device } = await store.begin(request);
    this.headInQ8_0 = headInQ8_0;
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
          throw new GpuGoneError(`${message} Restart the browser or the computer and press Resume.`);
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
    refuseOtherDevice(this.deviceBefore, this.engine.device);
    this.deviceBefore = null;
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
    const { totalSteps } = trainer;
    this.headInQ8_0 = isHeadInQ8_0(this.engine, request.recipe.training);
    const { kernels, headInQ8_0 } = this;
    await store.update({ totalSteps, device: this.engine.device, kernels, headInQ8_0 });
    // Both may have been asked for while the engine was made.
    if (this.pausing) trainer.pause();
    if (this.stopping) trainer.stop();
    return trainer.run();
  }

  private async reportWait(seconds: number): Promise<void> {
    const message = `Waiting for the GPU to come back: next attempt in ${seconds} s.`;
    this.onEvent({ type: 'deviceLost', step: await this.store.savedStep(), message });
  }

  private async createEngine(): Promise<Engine> {
    const { weights } = await openModel(this.database, this.request.modelId);
    const request = engineRequest(runDemand(this.request), weights);
    if (this.headInQ8_0 !== undefined) request.headDtype = keptHead(this.headInQ8_0);
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
