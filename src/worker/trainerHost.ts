/** What trainer.worker serves: one engine, one run at a time, evaluation over each file's own ports. */
import { expose, wrap } from 'comlink';
import { encodePrompt } from '../data/documents.ts';
import { chooseTokensPerMicroBatch } from '../data/packing.ts';
import { DEFAULT_DATE_STRING } from '../data/chatTemplate.ts';
import { writePeftFolder } from '../formats/peft.ts';
import { UserError } from '../lib/errors.ts';
import { openDatabase, type ModelManifest, type RunRecord } from '../storage/database.ts';
import { openModel } from '../storage/models.ts';
import { deleteRun, latestCheckpoint, listRuns, putCheckpoint, putRun } from '../storage/runs.ts';
import { EngineHost } from '../training/createEngine.ts';
import type { Engine } from '../training/engine.ts';
import type { Evaluator } from '../training/evaluation.ts';
import { metricsToJsonl } from '../training/metrics.ts';
import { adapterCard } from '../training/adapterCard.ts';
import { examplesPerStep, recipeToJson, type Recipe } from '../training/recipe.ts';
import { writeReport } from '../training/report.ts';
import { totalSteps } from '../training/schedule.ts';
import { Trainer, type Checkpoint, type RunResult } from '../training/trainer.ts';
import type {
  EvaluateApi,
  EvaluationPorts,
  GpuCheck,
  OpenRun,
  PlanRequest,
  RowsApi,
  RunOutcome,
  RunPlan,
  RunRequest,
  ScorerApi,
  TrainerApi,
  TrainerWorkerEvent,
} from './protocol.ts';
import { tokenizerOf } from './rowFile.ts';

/** What a run's record keeps beside its checkpoints. */
type RunData = Omit<OpenRun, 'runId' | 'startedAt' | 'step'>;

interface Death {
  promise: Promise<never>;
  reject(error: Error): void;
}

export class TrainerHost implements TrainerApi {
  private readonly database = openDatabase();
  private readonly engines = new EngineHost();
  private engine: Engine | null = null;
  private trainer: Trainer | null = null;
  private last: { modelId: string; recipe: Recipe } | null = null;
  /** By validation file: rejects what is waited for. A worker may die before the run begins. */
  private readonly deaths = new Map<string, Death>();

  async plan(request: PlanRequest): Promise<RunPlan> {
    const { weights } = await openModel(await this.database, request.modelId);
    const tokensPerMicroBatch = tokensOf(request);
    const { recipe } = request;
    const answer = await this.engines.memoryOf({
      config: weights.config,
      tensors: weights.tensors,
      lora: recipe.lora,
      tokensPerMicroBatch,
      gradientCheckpointing: recipe.training.gradient_checkpointing,
    });
    return {
      ...answer,
      tokensPerMicroBatch,
      totalSteps: totalSteps(request.trainLengths.length, examplesPerStep(recipe), recipe.training.num_train_epochs, recipe.training.max_steps),
    };
  }

  async run(request: RunRequest, onEvent: (event: TrainerWorkerEvent) => void): Promise<RunOutcome> {
    if (this.trainer) throw new UserError('A run is going on already. Stop it first.');
    const { recipe, modelId } = request;
    const database = await this.database;
    const { manifest, weights } = await openModel(database, modelId);
    const documents = await wrap<RowsApi>(request.rows).documents();
    const engine = await this.engines.create({
      weights,
      lora: recipe.lora,
      tokensPerMicroBatch: tokensOf(request),
      gradientCheckpointing: recipe.training.gradient_checkpointing,
      seed: recipe.training.seed,
      onProgress: (progress) => onEvent({ type: 'engine', progress }),
    });
    this.engine = engine;
    this.last = { modelId, recipe };
    const runId = request.resumeRunId ?? new Date().toISOString();
    const resume = request.resumeRunId ? ((await latestCheckpoint(database, runId)) as Checkpoint | undefined) : undefined;
    const failures = new Map<string, string>();
    this.trainer = new Trainer({
      engine,
      recipe,
      documents,
      padTokenId: request.padTokenId,
      evaluators: request.evaluators.map((ports) => this.evaluator(ports, engine)),
      emit(event) {
        if (event.type === 'evaluationFailed') failures.set(event.name, event.message);
        onEvent(event);
      },
      saveCheckpoint: (checkpoint) => putCheckpoint(database, runId, checkpoint.step, checkpoint),
      resume,
    });
    const data: RunData = { modelId, modelName: request.modelName, trainFile: request.training.file, recipe, totalSteps: this.trainer.totalSteps };
    const record: RunRecord = { id: runId, startedAt: runId, state: 'running', data };
    await putRun(database, record);
    try {
      const result = await this.trainer.run();
      await putRun(database, { ...record, state: result.reason === 'finished' || result.reason === 'early stopping' ? 'finished' : 'stopped' });
      return outcome(request, manifest, engine, result, failures);
    } catch (error) {
      await putRun(database, { ...record, state: 'failed' });
      throw error;
    } finally {
      this.trainer = null;
      this.deaths.clear();
    }
  }

  async pause(): Promise<void> {
    this.trainer?.pause();
  }

  async resume(): Promise<void> {
    this.trainer?.resume();
  }

  async stop(): Promise<void> {
    this.trainer?.stop();
  }

  async evaluatorDied(name: string, message: string): Promise<void> {
    this.deathOf(name).reject(new Error(message));
  }

  async answer(query: string, options: Parameters<TrainerApi['answer']>[1]): Promise<string> {
    if (!this.engine || !this.last) throw new UserError('There is no trained model yet. Press Train first.');
    const { modelId, recipe } = this.last;
    const tokenizer = await tokenizerOf(modelId);
    const prompt = encodePrompt(query, tokenizer, { systemPrompt: recipe.system_prompt, dateString: recipe.date_string || DEFAULT_DATE_STRING });
    const [ids] = await this.engine.generate([prompt], { ...options, stopTokenIds: tokenizer.stopTokenIds });
    return tokenizer.decode(ids, { skipSpecial: true }).trim();
  }

  async checkGpu(onProgress: (done: number, total: number) => void): Promise<GpuCheck> {
    if (this.trainer) throw new UserError('A run is going on. Check the GPU when it has ended.');
    return this.engines.check(onProgress);
  }

  async openRuns(): Promise<OpenRun[]> {
    const database = await this.database;
    const open: OpenRun[] = [];
    for (const { id, startedAt, state, data } of await listRuns(database)) {
      const checkpoint = state === 'running' || state === 'stopped' ? ((await latestCheckpoint(database, id)) as Checkpoint | undefined) : undefined;
      if (checkpoint) open.push({ runId: id, startedAt, step: checkpoint.step, ...(data as RunData) });
    }
    return open;
  }

  async discardRun(runId: string): Promise<void> {
    await deleteRun(await this.database, runId);
  }

  /** Serves forward passes on one port and asks for the evaluation on the other; a worker that died rejects what is waited for. */
  private evaluator({ name, scorer, evaluate }: EvaluationPorts, engine: Engine): Evaluator {
    const served: ScorerApi = {
      tokensPerMicroBatch: async () => engine.tokensPerMicroBatch,
      score: (batch) => engine.score(batch),
      generate: (prompts, options) => engine.generate(prompts, options),
    };
    expose(served, scorer);
    const remote = wrap<EvaluateApi>(evaluate);
    const { promise: died } = this.deathOf(name);
    return { name, evaluate: (step) => Promise.race([remote.evaluate(step), died]) };
  }

  private deathOf(name: string): Death {
    let death = this.deaths.get(name);
    if (!death) {
      let reject!: (error: Error) => void;
      const promise = new Promise<never>((_, no) => (reject = no));
      promise.catch(() => undefined);
      this.deaths.set(name, (death = { promise, reject }));
    }
    return death;
  }
}

/** T holds the longest row of all files. */
function tokensOf({ recipe, trainLengths, longestValidation }: PlanRequest): number {
  const training = chooseTokensPerMicroBatch(trainLengths, recipe.training.per_device_train_batch_size, recipe.max_length);
  return Math.max(training, Math.ceil(longestValidation / 32) * 32);
}

function outcome(request: RunRequest, manifest: ModelManifest, engine: Engine, result: RunResult, failures: ReadonlyMap<string, string>): RunOutcome {
  const { recipe, modelName, training, validation } = request;
  const { reason, message, steps, adapterStep, seconds, lines } = result;
  const settings = { ...recipe.lora, base_model_name_or_path: recipe.model.startsWith('folder:') || recipe.model === '' ? modelName : recipe.model };
  return {
    reason,
    message,
    steps,
    totalSteps: result.totalSteps,
    adapterStep,
    seconds,
    adapter: writePeftFolder(result.adapter, settings, manifest.texts, adapterCard(recipe, modelName, result)),
    metricsJsonl: metricsToJsonl(lines),
    recipeJson: recipeToJson(recipe),
    report: writeReport({
      recipe,
      modelName,
      device: engine.device,
      memory: engine.memory,
      training,
      validation: validation.map((file) => ({ ...file, failure: failures.get(file.name) ?? null })),
      result,
    }),
  };
}
