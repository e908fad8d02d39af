/**
 * Runs one after another, with the files that are dropped. One that fails does not stop those behind it, and
 * a reload loses none.
 */
import { t } from '../language/messages.svelte.ts';
import { parseRecipe, type Recipe } from '../../training/recipe.ts';
import type { MetricsLine } from '../../training/metrics.ts';
import { settingsText, type SweepRun } from '../../training/sweep/sweepAxes.ts';
import type { SweptRun } from '../../training/sweep/sweepTable.ts';
import { holdingQueue } from '../../worker/runLock.ts';
import type { KernelRequest, RunPlan } from '../../worker/trainer/trainerProtocol.ts';
import { reported } from '../errors/reported.ts';
import type { DataFiles } from '../data/DataFiles.svelte.ts';
import { rowSettings } from '../data/recipe/rowSettings.ts';
import type { ModelLibrary } from '../model/ModelLibrary.svelte.ts';
import type { RunController } from '../run/RunController.svelte.ts';
import { filesFault, trainedFiles, type QueuedRun } from './queuedRuns.ts';
import { QueueCurves } from './QueueCurves.svelte.ts';
import { QueueList } from './QueueList.svelte.ts';

/** What the queue needs of the page. */
export interface QueueHost {
  error: string | null;
  recipe: Recipe;
  readonly recipeJson: string;
  readonly presetName: string;
  readonly library: ModelLibrary;
  readonly data: DataFiles;
  readonly runs: RunController;
  readonly plan: RunPlan | null;
  readonly kernels: KernelRequest;
  readonly blockers: string[];
  readonly trainBlockers: string[];
  recipeChanged(needsData: boolean): Promise<void>;
}

export class RunQueue {
  readonly list = new QueueList();
  readonly curves: QueueCurves;
  /** Whether it works: starts what waits. */
  active = $state(false);
  /** Whether it rests once the run under way has ended. */
  resting = $state(false);
  /** Why it could not start. */
  error = $state<string | null>(null);
  /** The recipe that the person left on the page, while the queue puts others there. */
  before = $state.raw<Recipe | null>(null);

  constructor(readonly host: QueueHost) {
    this.curves = new QueueCurves(host.runs);
  }

  /** Why nothing can be queued now; null where it can. */
  get blocker(): string | null {
    const { trainBlockers, plan, runs } = this.host;
    if (this.active) return t.queue.works;
    if (runs.history.startFrom) return t.queue.fromScratch;
    return trainBlockers[0] ?? (plan ? null : t.queue.isPlanned);
  }

  /** Puts the recipe on the page at the end. */
  add(): void {
    const recipe = this.recipeNow();
    const { learning_rate } = recipe.training;
    const title = `${this.host.presetName}, ${settingsText({ learning_rate, r: recipe.lora.r })}`;
    this.put([{ recipe, settings: {} }], () => title, false);
  }

  /** Puts the runs of a sweep at the end. */
  addSweep(runs: readonly SweepRun[]): void {
    this.put(runs, ({ settings }) => settingsText(settings), true);
  }

  /** The recipe on the page as a run would have it: with its model and files. */
  recipeNow(): Recipe {
    return parseRecipe(this.host.recipeJson);
  }

  /** Runs what waits, one after another, until nothing does. A second call does nothing. */
  async start(): Promise<void> {
    const { host } = this;
    if (this.active || host.runs.run?.active) return;
    this.error = null;
    if (!host.data.train?.report) {
      const names =
        this.list.pending[0]?.files.map(({ name }) => name).join(' + ') ?? t.classroom.aTrainingFile;
      this.error = t.queue.dropFirst(names);
      return;
    }
    this.active = true;
    this.resting = false;
    this.before = $state.snapshot(host.recipe);
    const { startFrom } = host.runs.history;
    try {
      await holdingQueue(() => this.work());
    } catch (error) {
      this.error = reported(error, 'running the queue');
    }
    try {
      await this.take(this.before);
    } finally {
      host.runs.history.startFrom = startFrom;
      this.before = null;
      this.active = false;
    }
  }

  /** Ends the run under way and starts nothing more; what waits stays. */
  stopAll(): void {
    this.resting = true;
    this.host.runs.stop();
  }

  /** The runs of a sweep with what is known of each, for its table. */
  swept(sweep: string): SweptRun[] {
    return this.list.runs
      .filter((run) => run.sweep === sweep)
      .map((run) => ({ ...run, name: run.title, lines: this.curves.of(run) }));
  }

  private put(runs: readonly SweepRun[], titleOf: (run: SweepRun) => string, isSweep: boolean): void {
    const { model } = this.host.library;
    if (!model) throw new Error(t.queue.noModel);
    const files = trainedFiles(this.host.data);
    const queued = runs.map((run) => ({
      title: titleOf(run),
      recipe: run.recipe,
      modelId: model.id,
      modelName: model.name,
      files,
      settings: run.settings,
    }));
    this.list.put(queued, isSweep);
  }

  private async work(): Promise<void> {
    this.list.work(true);
    try {
      for (;;) {
        const [next] = this.list.pending;
        if (!next || this.resting) return;
        await this.runOne(next).catch((error: unknown) =>
          this.list.change(next.id, { state: 'failed', message: reported(error, 'running the queue') }),
        );
      }
    } finally {
      this.list.work(false);
    }
  }

  private async runOne(queued: QueuedRun): Promise<void> {
    const { id } = queued;
    const { runs } = this.host;
    const failed = (message: string | null) => this.list.change(id, { state: 'failed', message });
    const fault = await this.prepare(queued);
    // Stop was pressed while it was prepared.
    if (this.resting) return;
    if (fault !== null) return failed(fault);
    // Of a run that a reload cut off: what it had reached.
    const cutOff = queued.runId === null ? undefined : runs.history.find(queued.runId);
    const resumed = cutOff && cutOff.resumableStep !== null ? cutOff : null;
    const earlier = runs.run;
    const ending = runs.startRun(resumed);
    const view = runs.run;
    if (!view || view === earlier) {
      await ending;
      return failed(t.queue.notPlanned);
    }
    this.list.change(id, { state: 'running', message: null, runId: resumed?.id ?? null });
    view.onBegan = (runId) => this.list.change(id, { runId });
    await ending;
    const { outcome } = view;
    if (!outcome) {
      this.curves.set(id, [...view.lines, ...view.evaluationLines]);
      return view.isGpuGone ? this.restWithout(id, view.error!) : failed(view.error);
    }
    const { runId, reason, message, steps, seconds } = outcome;
    this.curves.set(id, linesOf(outcome.metricsJsonl));
    this.list.change(id, { state: 'done', reason, message, steps, seconds, runId });
    const kept = runs.history.find(runId);
    if (kept?.name === '') await runs.history.rename(kept, queued.title);
  }

  /** The next run would meet the same: this one and those behind it wait until Start is pressed again. */
  private restWithout(id: string, message: string): void {
    this.resting = true;
    this.error = message;
    this.list.change(id, { state: 'interrupted', message });
  }

  /** Brings a run's model, recipe and plan onto the page. @returns why it cannot run; null where it can */
  private async prepare(queued: QueuedRun): Promise<string | null> {
    const { host } = this;
    const { library } = host;
    host.runs.history.startFrom = null;
    if (library.model?.id !== queued.modelId) {
      if (!library.models.some(({ id, complete }) => complete && id === queued.modelId))
        return t.queue.modelGone(queued.modelName);
      host.recipe = structuredClone(queued.recipe);
      await library.select(queued.modelId);
    } else await this.take(queued.recipe);
    if (host.error !== null) return host.error;
    const other = filesFault(queued.files, trainedFiles(host.data));
    return other ?? (host.blockers.length > 0 ? host.blockers.join(' ') : null);
  }

  /** Puts a recipe on the page; the rows are read again only where it reads them otherwise. */
  private async take(recipe: Recipe): Promise<void> {
    const { host } = this;
    const id = host.library.model?.id ?? '';
    const before = JSON.stringify(rowSettings(id, $state.snapshot(host.recipe)));
    host.recipe = structuredClone(recipe);
    await host.recipeChanged(before !== JSON.stringify(rowSettings(id, recipe)));
  }
}

function linesOf(jsonl: string): MetricsLine[] {
  return jsonl
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as MetricsLine);
}
