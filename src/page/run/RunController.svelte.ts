/** The run that goes on, the result of the last one, and the runs that are kept; owns the trainer and the history's keeper. */
import { parseRecipe, recipeToJson } from '../../training/recipe.ts';
import {
  listening,
  proxy,
  requestsMade,
  startHistory,
  startTrainer,
  transfer,
  type WorkerHandle,
} from '../../worker/client.ts';
import type {
  FileInReport,
  GpuCheck,
  KernelRequest,
  RunPlan,
  RunRequest,
  TrainerApi,
} from '../../worker/trainer/trainerProtocol.ts';
import type { FileReport } from '../../worker/dataset/datasetProtocol.ts';
import type { HistoryApi, RunSummary } from '../../worker/history/historyProtocol.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { StorageUse } from '../../worker/import/importProtocol.ts';
import type { DataFile } from '../data/DataFile.svelte.ts';
import type { DataFiles } from '../data/DataFiles.svelte.ts';
import { connectEvaluationWorkers, replaceEvaluationWorker } from './evaluationWorkers.ts';
import type { Flow } from '../layout/Flow.svelte.ts';
import { History } from '../history/History.svelte.ts';
import type { ModelLibrary } from '../model/ModelLibrary.svelte.ts';
import { Result } from '../result/Result.svelte.ts';
import { RunView } from './RunView.svelte.ts';
import { bytes, messageOf } from '../text.ts';

/** A checkpoint holds the adapter, AdamW's two moments and the best adapter so far. */
const ADAPTERS_IN_CHECKPOINT = 4;
/** The one before goes when a new one is written. */
const CHECKPOINTS_AT_ONCE = 2;

/** What of the page a run is made from. */
export interface RunContext {
  error: string | null;
  recipe: Recipe;
  readonly recipeJson: string;
  readonly library: ModelLibrary;
  readonly data: DataFiles;
  readonly plan: RunPlan | null;
  readonly kernels: KernelRequest;
  readonly flow: Flow;
  readonly blockers: string[];
  guard(work: () => Promise<void>): Promise<void>;
  fail(message: string): void;
  reloadData(): Promise<void>;
  recipeChanged(needsData: boolean): Promise<void>;
}

export class RunController {
  run = $state.raw<RunView | null>(null);
  readonly history = new History(() => this.keeper.api);
  /** Of the run that has ended, or of one opened from the history. */
  result = $state.raw<Result | null>(null);
  private trainer: WorkerHandle<TrainerApi>;
  private readonly keeper: WorkerHandle<HistoryApi>;
  private readonly resultWorkers = { trainer: () => this.trainer.api, history: () => this.keeper.api };
  private onTrainerCrash: (error: Error) => void = () => undefined;

  constructor(private readonly host: RunContext) {
    this.keeper = startHistory((message) =>
      host.fail(`The history cannot be read: ${message}. Reload the page.`),
    );
    this.trainer = this.newTrainer();
  }

  /** The trainer's calls that plan and ask the driver. */
  get planner(): WorkerHandle<TrainerApi>['api'] {
    return this.trainer.api;
  }

  async startRun(resume: RunSummary | null = null): Promise<void> {
    const { data, plan } = this.host;
    const { model } = this.host.library;
    const { train, usable } = data;
    if (!model || !train?.report || !plan) return;
    this.host.error = null;
    const recipe = parseRecipe(JSON.parse(this.host.recipeJson) as object);
    const run = new RunView(
      usable.map(({ name }) => name),
      plan.totalSteps,
      recipe.evaluation.forgetting_threshold,
    );
    this.run = run;
    this.result = null;
    const startFrom = resume ? null : this.history.startFrom;
    this.history.startFrom = null;
    this.host.flow.reset();
    try {
      const inReport = (set: DataFile, report: FileReport): FileInReport => ({
        file: set.file.name,
        name: set.name,
        sha256: report.sha256,
        summary: report.summary,
        leaks: leaksOf(set),
      });
      const training = inReport(train, train.report);
      const validation = usable.map((set) => inReport(set, set.report!));
      const { longestValidation } = data;
      const { lengths: trainLengths, padTokenId } = train.report;
      const rows = new MessageChannel();
      await train.orDeath(train.dataset().api.serve(transfer(rows.port1, [rows.port1])));
      const { ports: evaluationPorts, failed } = await connectEvaluationWorkers(
        usable,
        recipe,
        (file, message, restarted) => {
          if (run.active) void replaceEvaluationWorker(this.trainer.api, file, recipe, message, restarted);
        },
      );
      const request: RunRequest = {
        modelId: model.id,
        modelName: model.name,
        recipe,
        trainLengths,
        longestValidation,
        kernels: this.host.kernels,
        padTokenId,
        rows: rows.port2,
        evaluationPorts,
        training,
        validation,
        resumeRunId: resume?.id ?? null,
        startFrom,
      };
      const ports = [rows.port2, ...evaluationPorts.flatMap(({ scorer, evaluator }) => [scorer, evaluator])];
      const crashed = new Promise<never>((_, reject) => (this.onTrainerCrash = reject));
      const ended = this.trainer.api.run(
        transfer(request, ports),
        proxy((event) => run.take(event)),
        proxy(requestsMade),
      );
      for (const [file, message] of failed)
        void this.trainer.api.evaluationWorkerDied(file.name, message, false);
      const outcome = await Promise.race([ended, crashed]);
      this.result = Result.ofOutcome(outcome, model.id, this.resultWorkers);
      run.end(outcome);
    } catch (error) {
      run.fail(error);
    }
    await this.refreshRuns();
  }

  /** Shows the result of a kept run: its adapter answers, and its files are there again. */
  async openResult(run: RunSummary): Promise<void> {
    await this.host.guard(async () => {
      this.result = Result.ofRun(
        run,
        await this.history.details(run.id),
        recipeToJson(run.recipe),
        this.resultWorkers,
      );
      this.host.flow.show('result');
    });
  }

  /** The next run goes on from the adapter of a kept run, or from a dropped one; the recipe's lora becomes the adapter's. */
  async continueFrom(adapter: RunSummary | readonly File[]): Promise<void> {
    await this.host.guard(async () => {
      const { library } = this.host;
      if (!library.model && 'modelId' in adapter) {
        if (!library.models.some(({ id }) => id === adapter.modelId))
          throw new Error(
            `${adapter.modelName} is not stored in this browser any more. Drop its files first.`,
          );
        await library.choose(adapter.modelId);
      }
      if (!library.model)
        throw new Error(
          'Choose the model that the adapter belongs to first: the adapter is checked against it.',
        );
      if ('modelId' in adapter) await this.history.startFromRun(adapter, library.model.id);
      else await this.history.startFromFiles(adapter, library.model.id);
      this.host.recipe.lora = parseRecipe({ lora: this.history.startFrom!.lora }).lora;
      await this.host.recipeChanged(false);
      this.host.flow.show('run');
    });
  }

  /** Where the browser has no room for this run's checkpoints: said before the start. */
  get roomWarning(): string | null {
    const { plan, library } = this.host;
    const storage: StorageUse | null = library.storage;
    if (!plan || !storage || storage.quotaBytes === 0) return null;
    const needed = CHECKPOINTS_AT_ONCE * ADAPTERS_IN_CHECKPOINT * plan.memory.adapter;
    const free = storage.quotaBytes - storage.usedBytes;
    if (needed <= free) return null;
    return `The browser has ${bytes(Math.max(0, free))} of storage left, and this run's checkpoints need ${bytes(needed)}: it can be trained and downloaded, but not kept or resumed after a reload. Delete a stored model or a run first.`;
  }

  /** Keeps a note with the run, with the step at which it was written. */
  addNote(text: string): void {
    const { run } = this;
    if (!run) return;
    run.notes += `${run.notes === '' ? '' : '\n'}step ${run.step}: ${text}`;
    if (run.runId !== null)
      this.keeper.api
        .setNotes(run.runId, run.notes)
        .catch((error: unknown) => this.host.fail(messageOf(error)));
  }

  pause(): void {
    void this.trainer.api.pause();
  }

  resume(): void {
    void this.trainer.api.resume();
  }

  stop(): void {
    if (this.run) this.run.stopping = true;
    void this.trainer.api.stop();
  }

  checkGpu(onProgress: (done: number, total: number) => void): Promise<GpuCheck> {
    return listening(onProgress, (tell) => this.trainer.api.checkGpu(tell));
  }

  /** Deletes an unfinished run instead of resuming it. */
  async discardRun(run: RunSummary): Promise<void> {
    await this.history.remove(run);
    await this.refreshRuns();
  }

  /** Whether an unfinished run was made with this model and training file, so that it can go on. */
  canResume(run: RunSummary): boolean {
    return (
      run.modelId === this.host.library.model?.id &&
      run.trainFile === this.host.data.train?.file.name &&
      this.host.blockers.length === 0
    );
  }

  async resumeRun(unfinished: RunSummary): Promise<void> {
    this.host.recipe = unfinished.recipe;
    await this.host.reloadData();
    await this.startRun(unfinished);
  }

  /** Reads the list of kept runs and the storage that they take. */
  async refreshRuns(): Promise<void> {
    await this.history.refresh();
    await this.host.library.refreshStorage();
  }

  /** A trainer that crashes is replaced, so that the run can go on from its last checkpoint. */
  private newTrainer(): WorkerHandle<TrainerApi> {
    return startTrainer((message) => {
      this.trainer.terminate();
      this.trainer = this.newTrainer();
      this.onTrainerCrash(
        new Error(
          `The trainer crashed: ${message}. The run is kept as it was at its last checkpoint: press Resume.`,
        ),
      );
    });
  }
}

function leaksOf({ overlaps }: DataFile): FileInReport['leaks'] {
  return overlaps
    .filter(({ overlap }) => overlap.rows > 0)
    .map(({ file, overlap }) => ({ file, rows: overlap.rows }));
}
