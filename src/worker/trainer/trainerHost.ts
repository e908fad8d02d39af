/** What trainer.worker serves: the one engine, one run at a time, and answers with the adapters of runs. */
import { UserError } from '../../lib/errors.ts';
import { type Database } from '../../storage/database.ts';
import { openDatabase } from '../../storage/openDatabase.ts';
import { openModel } from '../../storage/storedWeights.ts';
import { tuningIn } from '../../storage/tuning.ts';
import { KernelTuner } from '../../tuning/kernelTuner.ts';
import { EngineHost } from '../../engine/engineHost.ts';
import type { EngineProgress } from '../../engine/engine.ts';
import { isHeadInQ8_0 } from '../../engine/headDtype.ts';
import { engineRequest } from '../../engine/engineRequest.ts';
import { DocumentTable, type DocumentArrays } from '../../data/documentTable.ts';
import { stepsOf } from '../../training/recipe.ts';
import { Answering } from './answering.ts';
import { EvaluationClients } from './evaluationClients.ts';
import type {
  ChatReply,
  ChatRequest,
  GpuCheck,
  GpuSpeed,
  OnPair,
  PairRequest,
  PlanRequest,
  ResultEvaluation,
  RunOutcome,
  RunPlan,
  RunRequest,
  SamplingOptions,
  TokenLosses,
  TrainerApi,
  TrainerWorkerEvent,
} from './trainerProtocol.ts';
import type { EvaluationPorts } from '../evaluation/evaluationProtocol.ts';
import type { PageTrace } from '../pageTrace.ts';
import { holdingRun } from '../runLock.ts';
import { PacedEvents } from './pacedEvents.ts';
import { evaluateResult } from './resultEvaluation.ts';
import { runDemand } from './runDemand.ts';
import { RunSession } from './runSession.ts';

export class TrainerHost implements TrainerApi {
  private session: RunSession | null = null;
  private readonly evaluationClients = new EvaluationClients();
  private readonly answering: Answering;
  private measurement = { stopped: false };

  constructor(
    private readonly database: Promise<Database> = openDatabase(),
    private readonly engines = new EngineHost(undefined, new KernelTuner(tuningIn(database))),
  ) {
    this.answering = new Answering(database, engines);
  }

  async plan(request: PlanRequest): Promise<RunPlan> {
    const { weights } = await openModel(await this.database, request.modelId);
    const { recipe } = request;
    const answer = await this.engines.forecast(engineRequest(runDemand(request), weights));
    return {
      ...answer,
      totalSteps: stepsOf(recipe, request.trainLengths),
    };
  }

  async measureKernels(request: PlanRequest): Promise<RunPlan | null> {
    if (this.session) return null;
    this.stopMeasuring();
    const mine = this.measurement;
    const stopped = () => mine.stopped;
    const { weights } = await openModel(await this.database, request.modelId);
    const measured =
      !stopped() && (await this.engines.measureLevel(engineRequest(runDemand(request), weights), stopped));
    return measured && !stopped() ? this.plan(request) : null;
  }

  async probe(bytes: number): Promise<number | null> {
    this.idle('Try the memory when it has ended.');
    return this.engines.probe(bytes);
  }

  async run(
    request: RunRequest,
    onEvent: (event: TrainerWorkerEvent) => void,
    pageTrace: () => Promise<PageTrace> = () => Promise.resolve({ requests: [], errors: [] }),
  ): Promise<RunOutcome> {
    this.idle('Stop it first.');
    this.evaluationClients.begin();
    // Events come by another port than the outcome, which could overtake them: they are awaited.
    const events = new PacedEvents(onEvent);
    const session = new RunSession(
      await this.database,
      this.engines,
      this.evaluationClients,
      request,
      (event) => events.push(event),
      pageTrace,
    );
    this.session = session;
    this.answering.yieldEngine();
    try {
      const { outcome, engine, adapter, kernels } = await holdingRun(session.runId, () => session.run());
      const { modelId, recipe } = request;
      this.answering.take({
        runId: session.runId,
        step: null,
        modelId,
        recipe,
        tokensPerMicroBatch: engine.tokensPerMicroBatch,
        kernels,
        headInQ8_0: isHeadInQ8_0(engine, recipe.training),
        adapter,
        engine,
      });
      return outcome;
    } finally {
      this.session = null;
      this.evaluationClients.end();
      await events.settled();
    }
  }

  async pause(): Promise<void> {
    this.session?.pause();
  }

  async resume(): Promise<void> {
    this.session?.resume();
  }

  async stop(): Promise<void> {
    this.session?.stop();
  }

  async evaluationWorkerDied(name: string, message: string, restarting: boolean): Promise<void> {
    this.evaluationClients.died(name, message, restarting);
    if (restarting) this.session?.restarts(name, message);
  }

  async replaceEvaluationWorker(ports: EvaluationPorts): Promise<void> {
    this.evaluationClients.replace(ports);
  }

  async openResult(runId: string, onProgress: (progress: EngineProgress) => void): Promise<void> {
    this.idle('Its adapter answers when it has ended.');
    await this.answering.openResult(runId, onProgress);
  }

  async chat(
    request: ChatRequest,
    onText: (conversation: number, text: string) => void,
  ): Promise<ChatReply[]> {
    this.idle('Its adapter answers when it has ended.');
    return this.answering.chat(request, onText);
  }

  async answerPairs(
    request: PairRequest,
    prompts: number[][],
    sampling: SamplingOptions,
    onPair: OnPair,
  ): Promise<void> {
    this.idle('Its adapter answers when it has ended.');
    await this.answering.answerPairs(request, prompts, sampling, onPair);
  }

  async stopAnswers(): Promise<void> {
    this.answering.stop();
  }

  async tokenLosses(runId: string, inputIds: number[], adapterScale: number): Promise<TokenLosses> {
    this.idle('Its adapter answers when it has ended.');
    return this.answering.tokenLosses(runId, inputIds, adapterScale);
  }

  async documentLosses(
    runId: string,
    documents: DocumentArrays,
    onProgress: (done: number, total: number) => void,
  ): Promise<Float32Array> {
    this.idle('Rank the training rows when it has ended.');
    return this.answering.documentLosses(runId, new DocumentTable(documents), onProgress);
  }

  async evaluateResult(
    runId: string,
    ports: EvaluationPorts[],
    longest: number,
  ): Promise<ResultEvaluation[]> {
    this.idle('Its adapter is evaluated when it has ended.');
    return this.answering.scoring(runId, longest, (engine) => evaluateResult(engine, ports));
  }

  async checkGpu(onProgress: (done: number, total: number) => void, casesPerOp: number): Promise<GpuCheck> {
    this.idle('Check the GPU when it has ended.');
    return this.engines.check(onProgress, casesPerOp);
  }

  async measureSpeed(onProgress: (what: string, done: number, total: number) => void): Promise<GpuSpeed> {
    this.idle('Measure the GPU when it has ended.');
    this.answering.yieldEngine();
    return this.engines.measureSpeed(onProgress);
  }

  /** @throws UserError while a run goes on */
  private idle(then: string): void {
    if (this.session) throw new UserError(`A run is going on. ${then}`);
    this.stopMeasuring();
  }

  /** Measuring in the background ends for whatever a person asks for. */
  private stopMeasuring(): void {
    this.measurement.stopped = true;
    this.measurement = { stopped: false };
  }
}
