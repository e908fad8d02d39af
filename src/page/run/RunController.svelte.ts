/**
 * The run that is training, the result of the last one, and the kept runs; owns the trainer and the history
 * worker.
 */
import { t } from '../language/messages.svelte.ts';
import { checkedCases } from '../../training/kernelRequest.ts';
import { parseRecipe, recipeToJson } from '../../training/recipe.ts';
import { startHistory, startTrainer, withListener } from '../../worker/client.ts';
import { SupervisedWorker } from '../../worker/supervisedWorker.ts';
import type { GpuCheck, GpuSpeed, TrainerApi } from '../../worker/trainer/trainerProtocol.ts';
import type { HistoryApi, RunSummary } from '../../worker/history/historyProtocol.ts';
import type { StorageUse } from '../../worker/import/importProtocol.ts';
import { needsConsent } from '../../lib/errors.ts';
import { reported } from '../errors/reported.ts';
import { History } from '../history/History.svelte.ts';
import { Result } from '../result/Result.svelte.ts';
import type { Scoring } from '../data/doctor/LossRanking.svelte.ts';
import type { ResultWorkers } from '../result/resultWorkers.ts';
import { runInputsOf, trainRun, type RunContext } from './trainRun.ts';
import type { RunView } from './RunView.svelte.ts';

/** A checkpoint holds the adapter, AdamW's two moments and the best adapter so far. */
const ADAPTERS_IN_CHECKPOINT = 4;
/** The last two stay until a new one is written. */
const CHECKPOINTS_AT_ONCE = 3;

export class RunController {
  run = $state.raw<RunView | null>(null);
  /** Of the run that has ended, or of one opened from the history. */
  result = $state.raw<Result | null>(null);
  /** A trainer that dies is started again by the next question, so that the run can be resumed. */
  readonly trainer = new SupervisedWorker<TrainerApi>('trainer', startTrainer);
  readonly history: History;
  private readonly resultWorkers: ResultWorkers;

  /** Run whose resumption was refused until it is asked for a second time. */
  private refused: string | null = null;

  constructor(private readonly host: RunContext) {
    const history = new SupervisedWorker<HistoryApi>('history', startHistory);
    this.history = new History(history);
    this.resultWorkers = { trainer: this.trainer, history, data: () => host.data };
  }

  /** What training rows are scored with: the adapter of the result, where there is one. */
  get scoring(): Scoring | null {
    const { result, trainer } = this;
    return result && { runId: result.runId, modelId: result.modelId, trainer };
  }

  /**
   * Train was pressed, or Resume for a run that did not end. A second press while a run is training does
   * nothing.
   */
  async startRun(resume: RunSummary | null = null): Promise<void> {
    if (this.run?.active) return;
    const consents = resume !== null && resume.id === this.refused;
    this.refused = null;
    const inputs = runInputsOf(this.host, resume, resume ? null : this.history.startFrom, consents);
    if (!inputs) return;
    this.host.error = null;
    this.run = inputs.view;
    this.result = null;
    this.history.startFrom = null;
    // A queue works beside whatever the person looks at.
    if (!this.host.queue.active) this.host.flow.show('run');
    try {
      const outcome = await trainRun(inputs, this.trainer);
      this.result = Result.ofOutcome(outcome, inputs.modelId, this.resultWorkers);
      inputs.view.end(outcome);
      if (!this.host.queue.active) this.host.flow.moveOn('run');
    } catch (error) {
      inputs.view.fail(error);
      if (resume && needsConsent(error)) this.refused = resume.id;
    }
    await this.refreshRuns();
  }

  /** Shows the result of a kept run: its adapter answers, and its files are there again. */
  async openResult(run: RunSummary): Promise<void> {
    await this.host.guard('opening a kept run', async () => {
      this.result = Result.ofRun(
        run,
        await this.history.details(run.id),
        recipeToJson(run.recipe),
        this.resultWorkers,
      );
      this.host.flow.show('result');
    });
  }

  /**
   * The next run goes on from the adapter of a kept run, or from a dropped one; the recipe's lora becomes the
   * adapter's.
   */
  async continueFrom(adapter: RunSummary | readonly File[]): Promise<void> {
    await this.host.guard('taking over an adapter', async () => {
      const { library } = this.host;
      if (!library.model && 'modelId' in adapter) {
        if (!library.models.some(({ id }) => id === adapter.modelId))
          throw new Error(t.run.modelNotStored(adapter.modelName));
        await library.choose(adapter.modelId);
      }
      if (!library.model) throw new Error(t.run.chooseAdaptersModel);
      if ('modelId' in adapter) await this.history.startFromRun(adapter, library.model.id);
      else await this.history.startFromFiles(adapter, library.model.id);
      this.host.recipe.lora = parseRecipe({ lora: this.history.startFrom!.lora }).lora;
      await this.host.recipeChanged(false);
      this.host.flow.show('run');
    });
  }

  /** Keeps a dropped adapter beside the runs: it answers, is evaluated and exported like theirs. */
  async tryAdapter(files: readonly File[]): Promise<void> {
    await this.host.guard('reading an adapter', async () => {
      const { library } = this.host;
      if (!library.model) throw new Error(t.run.chooseAdaptersModel);
      const id = await this.history.keepAdapter(files, library.model.id, this.host.recipe);
      await this.refreshRuns();
      await this.openResult(this.history.runs.find((run) => run.id === id)!);
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
    return t.run.noRoom(Math.max(0, free), needed);
  }

  /** Keeps a note with the run, with the step at which it was written. */
  addNote(text: string): void {
    const { run } = this;
    if (!run) return;
    run.notes += `${run.notes === '' ? '' : '\n'}${t.run.noteAt(run.step, text)}`;
    const { runId, notes } = run;
    if (runId !== null)
      this.resultWorkers.history
        .ask((api) => api.annotate(runId, { notes }))
        .catch((error: unknown) => this.host.fail(reported(error, 'storing a note')));
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
    const cases = checkedCases(location.href);
    return withListener(onProgress, (send) => this.trainer.ask((api) => api.checkGpu(send, cases)));
  }

  measureSpeed(onProgress: (what: string, done: number, total: number) => void): Promise<GpuSpeed> {
    return withListener(onProgress, (send) => this.trainer.ask((api) => api.measureSpeed(send)));
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
      run.trainFile === this.host.data.train?.title &&
      this.host.blockers.length === 0
    );
  }

  async resumeRun(unfinished: RunSummary): Promise<void> {
    this.host.recipe = unfinished.recipe;
    await this.host.reloadData();
    await this.startRun(unfinished);
  }

  /** Reads the list of kept runs and the storage that they take. Shows why it cannot. */
  async refreshRuns(): Promise<void> {
    await this.history.refresh();
    await this.host.guard('reading how much is stored', () => this.host.library.refreshStorage());
  }
}
