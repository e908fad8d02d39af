/**
 * The runs kept in this browser: the list, what is compared, and the adapter that the next run starts from.
 */
import { t } from '../language/messages.svelte.ts';
import { fileStem } from '../../data/files/fileNames.ts';
import { zipFolder } from '../../formats/zip.ts';
import type { SupervisedWorker } from '../../worker/supervisedWorker.ts';
import type {
  AdapterPrompts,
  HistoryApi,
  RunDetails,
  RunSummary,
} from '../../worker/history/historyProtocol.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { StartingAdapter } from '../../worker/trainer/trainerProtocol.ts';
import { save } from '../layout/saveFile.ts';
import { reported } from '../errors/reported.ts';

/** What the next run starts from. */
export type NextStart = Pick<StartingAdapter, 'name' | 'modelId' | 'lora' | 'tensors'>;

export class History {
  runs = $state.raw<RunSummary[]>([]);
  error = $state<string | null>(null);
  /** What goes on now, by run. */
  busy = $state<string | null>(null);
  /** Ids of the runs that are ticked for comparison. */
  ticked = $state<string[]>([]);
  startFrom = $state.raw<NextStart | null>(null);

  constructor(private readonly worker: SupervisedWorker<HistoryApi>) {}

  get bytes(): number {
    return this.runs.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
  }

  /** Runs that did not end and have a checkpoint to go on from. */
  get unfinished(): RunSummary[] {
    return this.runs.filter(({ resumableStep }) => resumableStep !== null);
  }

  async refresh(): Promise<void> {
    await this.guard('reading the kept runs', null, async () => {
      this.runs = await this.worker.ask((api) => api.runs());
      const ids = this.runs.map(({ id }) => id);
      this.ticked = this.ticked.filter((id) => ids.includes(id));
    });
  }

  find(runId: string): RunSummary | undefined {
    return this.runs.find(({ id }) => id === runId);
  }

  details(runId: string): Promise<RunDetails> {
    return this.worker.ask((api) => api.details(runId));
  }

  async rename(run: RunSummary, name: string): Promise<void> {
    if (name.trim() === run.name) return;
    await this.guard('renaming a run', run.id, () =>
      this.worker.ask((api) => api.annotate(run.id, { name })),
    );
    await this.refresh();
  }

  async setNotes(run: RunSummary, notes: string): Promise<void> {
    if (notes === run.notes) return;
    await this.guard('storing notes', run.id, () =>
      this.worker.ask((api) => api.annotate(run.id, { notes })),
    );
    await this.refresh();
  }

  async setTags(run: RunSummary, tags: string[]): Promise<void> {
    if (tags.join() === (run.tags ?? []).join()) return;
    await this.guard('storing tags', run.id, () => this.worker.ask((api) => api.annotate(run.id, { tags })));
    await this.refresh();
  }

  async remove(run: RunSummary): Promise<void> {
    await this.guard('deleting a run', run.id, () => this.worker.ask((api) => api.remove(run.id)));
    await this.refresh();
  }

  async exportRun(run: RunSummary): Promise<void> {
    await this.guard('exporting a run', run.id, async () =>
      save(
        `${fileNameOf(run)}.zip`,
        await this.worker.ask((api) => api.exportZip(run.id)),
        'application/zip',
      ),
    );
  }

  /** Saves a run in progress, so that another computer goes on with it. */
  async exportRunFile(run: RunSummary): Promise<void> {
    await this.guard('exporting a run in progress', run.id, async () =>
      save(
        `${fileNameOf(run)}.finetab-run.zip`,
        await this.worker.ask((api) => api.exportRunFile(run.id)),
        'application/zip',
      ),
    );
  }

  /** Takes a run in progress that another computer saved. */
  async importRunFile(file: File): Promise<void> {
    await this.guard('taking a run in progress', null, () =>
      this.worker.ask((api) => api.importRunFile(file)),
    );
    if (this.error === null) await this.refresh();
  }

  async downloadAdapter(run: RunSummary): Promise<void> {
    await this.guard('downloading an adapter', run.id, async () =>
      save(
        'adapter.zip',
        zipFolder(await this.worker.ask((api) => api.adapterFolder(run.id)), 'adapter'),
        'application/zip',
      ),
    );
  }

  tick(run: RunSummary, on: boolean): void {
    this.ticked = on ? [...this.ticked, run.id] : this.ticked.filter((id) => id !== run.id);
  }

  /** The next run goes on from a kept run's adapter. @throws where it does not fit the model */
  async startFromRun(run: RunSummary, modelId: string): Promise<void> {
    this.startFrom = await this.worker.ask((api) => api.startFromRun(run.id, modelId));
  }

  /** The next run goes on from a dropped PEFT folder. @throws where it is none, or does not fit the model */
  async startFromFiles(files: readonly File[], modelId: string): Promise<void> {
    const named = files.map((file) => ({ path: file.webkitRelativePath || file.name, blob: file }));
    this.startFrom = await this.worker.ask((api) => api.startFromFiles(named, modelId));
  }

  /** Keeps a dropped adapter. @returns the id of the run that it is kept as @throws as startFromFiles */
  keepAdapter(
    files: readonly File[],
    modelId: string,
    { system_prompt, date_string }: AdapterPrompts,
  ): Promise<string> {
    const named = files.map((file) => ({ path: file.webkitRelativePath || file.name, blob: file }));
    return this.worker.ask((api) => api.keepAdapter(named, modelId, { system_prompt, date_string }));
  }

  /** Why the next run cannot start from what was chosen. */
  blockerFor(modelId: string | undefined, { lora }: Recipe): string | null {
    const { startFrom } = this;
    if (!startFrom) return null;
    if (modelId !== undefined && modelId !== startFrom.modelId) return t.history.otherModel(startFrom.name);
    const differing = (['r', 'lora_alpha', 'use_rslora', 'use_dora', 'target_modules'] as const).filter(
      (key) => JSON.stringify(lora[key]) !== JSON.stringify(startFrom.lora[key]),
    );
    if (differing.length === 0) return null;
    const wanted = differing.map((key) => `lora.${key} ${JSON.stringify(startFrom.lora[key])}`).join(', ');
    return t.history.needsSettings(startFrom.name, wanted);
  }

  private async guard(where: string, runId: string | null, work: () => Promise<unknown>): Promise<void> {
    this.error = null;
    this.busy = runId;
    try {
      await work();
    } catch (error) {
      this.error = reported(error, where);
    } finally {
      this.busy = null;
    }
  }
}

/** What a run is called where the person gave it no name. */
export function titleOf({ name, trainFile, modelName }: RunSummary): string {
  return name || t.store.runOn(trainFile, modelName);
}

/** A run's state in words. */
export function stateOf({ live, state, resumableStep, step, totalSteps }: RunSummary): string {
  const { states } = t.history;
  if (live) return states.running;
  switch (state) {
    case 'finished':
      return step < totalSteps ? states.stoppedEarly(step, totalSteps) : states.finished(totalSteps);
    case 'stopped':
      return states.stopped(step, totalSteps);
    case 'diverged':
      return states.diverged(step, totalSteps);
    case 'failed':
      return states.failed(step, totalSteps);
    case 'running':
      return resumableStep === null ? states.cutOff : states.saved(step, totalSteps);
  }
}

function fileNameOf(run: RunSummary): string {
  return `${fileStem(titleOf(run), 'run')}-${run.startedAt.slice(0, 10)}`;
}
