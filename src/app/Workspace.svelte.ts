/** The page's state: model, data, recipe, plan, run. Components only show it and call it. */
import { tick } from 'svelte';
import { metricFault } from '../training/metrics.ts';
import { parseRecipe, recipeToJson } from '../training/recipe.ts';
import { proxy, requestsMade, startHistory, startImport, startTrainer, transfer, type WorkerHandle } from '../worker/client.ts';
import type {
  ColumnMapping,
  FileInReport,
  FileReport,
  GpuCheck,
  HistoryApi,
  ImportApi,
  ModelDetails,
  ModelSummary,
  OpenRun,
  PlanRequest,
  Recipe,
  RunPlan,
  RunRequest,
  RunSummary,
  StorageUse,
  TrainerApi,
} from '../worker/protocol.ts';
import type { DataFile } from './DataFile.svelte.ts';
import { DataFiles } from './DataFiles.svelte.ts';
import { connectEvaluators, replaceEvaluator } from './evaluatorPorts.ts';
import { fetchDemo } from './demo.ts';
import { Flow } from './Flow.svelte.ts';
import { MemoryCheck } from './MemoryCheck.svelte.ts';
import { hubEndpoint } from './hubEndpoint.ts';
import { History } from './History.svelte.ts';
import { applyPreset, presetOf, type Preset } from './presets.ts';
import { Result } from './Result.svelte.ts';
import { Run } from './Run.svelte.ts';
import { recipeOfLink } from './shareLink.ts';
import { bytes, integer, messageOf } from './text.ts';
import type { Remedy } from './verdict.ts';

/** A checkpoint holds the adapter, AdamW's two moments and the best adapter so far. */
const ADAPTERS_IN_CHECKPOINT = 4;
/** The one before goes when a new one is written. */
const CHECKPOINTS_AT_ONCE = 2;

export class Workspace {
  models = $state.raw<ModelSummary[]>([]);
  model = $state.raw<ModelDetails | null>(null);
  importing = $state<{ name: string; done: number; total: number } | null>(null);
  storage = $state.raw<StorageUse | null>(null);
  readonly data = new DataFiles();
  readonly flow = new Flow(this);
  readonly memory = new MemoryCheck({ plan: (request) => this.trainer.api.plan(request), probe: (bytes) => this.trainer.api.probe(bytes) });
  recipe = $state<Recipe>(parseRecipe({}));
  plan = $state.raw<RunPlan | null>(null);
  run = $state.raw<Run | null>(null);
  openRuns = $state.raw<OpenRun[]>([]);
  readonly history = new History(() => this.keeper.api);
  /** Of the run that has ended, or of one opened from the history. */
  result = $state.raw<Result | null>(null);
  error = $state<string | null>(null);
  /** What is wrong with the recipe in itself. */
  recipeError = $state<string | null>(null);
  /** Why this recipe cannot be planned with this model and these rows. */
  planError = $state<string | null>(null);
  /** What the demo waits for before it trains, in words. */
  preparingDemo = $state<string | null>(null);
  private pending = $state(0);
  private importer: WorkerHandle<ImportApi>;
  private trainer: WorkerHandle<TrainerApi>;
  private keeper: WorkerHandle<HistoryApi>;

  constructor() {
    this.importer = startImport((message) => this.fail(`The import failed: ${message}. Reload the page and drop the files again.`));
    this.keeper = startHistory((message) => this.fail(`The history cannot be read: ${message}. Reload the page.`));
    this.trainer = this.newTrainer();
  }

  async start(): Promise<void> {
    await this.guard(async () => {
      await this.refreshModels();
      await this.refreshRuns();
    });
    await this.openLink();
  }

  /** Fills in the recipe of a shared link, and takes it out of the address: a reload does not bring it back. */
  async openLink(): Promise<void> {
    await this.guard(async () => {
      const recipe = recipeOfLink(location.hash);
      if (!recipe) return;
      history.replaceState(null, '', location.pathname + location.search);
      await this.takeRecipe(recipe);
    });
  }

  async importModel(files: readonly File[]): Promise<void> {
    await this.guard(async () => {
      const named = files.map((file) => ({ path: file.webkitRelativePath || file.name, blob: file as Blob }));
      const folder = named[0]?.path.includes('/') ? named[0].path.split('/')[0] : '';
      const name =
        this.recipe.model
          .replace(/^folder:/, '')
          .split('/')
          .at(-1) ||
        folder ||
        'dropped model';
      await this.bring(name, (progress) => this.importer.api.importModel(named, name, this.recipe.quantization, progress));
    });
  }

  /** @param id "owner/name" @param token '' for none */
  async downloadModel(id: string, token: string): Promise<void> {
    await this.guard(async () => {
      await this.bring(id, (progress) => this.importer.api.importFromHub(id, this.recipe.quantization, { endpoint: hubEndpoint(), token }, progress));
    });
  }

  private async bring(name: string, work: (progress: (done: number, total: number) => void) => Promise<ModelDetails>): Promise<void> {
    this.importing = { name, done: 0, total: 1 };
    const progress = proxy((done: number, total: number) => {
      this.importing = { name, done, total };
    });
    const details = await work(progress).finally(() => (this.importing = null));
    await navigator.storage.persist();
    await this.refreshModels();
    await this.useModel(details);
  }

  /** Whether nothing was chosen, dropped or loaded yet. */
  get untouched(): boolean {
    return !this.model && !this.importing && !this.run && this.data.all.length === 0 && this.recipe.model === '';
  }

  /** From an empty page to a running demo, as a person would do it: recipe, model, data, Train. */
  async tryDemo(): Promise<void> {
    this.preparingDemo = 'Fetching the demo';
    await this.guard(async () => {
      const demo = await fetchDemo();
      this.preparingDemo = 'Storing the model and reading the data';
      await this.loadRecipe(demo.recipe);
      await this.importModel(demo.model);
      if (this.model) await this.addData(demo.data);
    });
    this.preparingDemo = null;
    const { train } = this.data;
    if (!train || !this.plan || this.blockers.length > 0) return;
    train.previewOpen = true;
    const running = this.startRun();
    await tick();
    this.flow.show('run');
    await running;
  }

  async selectModel(id: string): Promise<void> {
    await this.guard(async () => this.useModel(await this.importer.api.details(id)));
  }

  async removeModel(id: string): Promise<void> {
    await this.guard(async () => {
      await this.importer.api.remove(id);
      if (this.model?.id === id) this.model = null;
      await this.refreshModels();
    });
  }

  /** Takes dropped data files: validation sets by their names, any other as the training file. */
  async addData(files: readonly File[]): Promise<void> {
    await this.guard(async () => {
      this.data.add(files);
      await this.reloadData();
    });
  }

  removeData(file: DataFile): void {
    this.data.remove(file);
    void this.guard(async () => {
      await this.data.compare();
      await this.refreshPlan();
    });
  }

  /** What the columns of a file in no known format are; the recipe keeps it, and files with the same columns are read so too. */
  async chooseColumns(file: DataFile, mapping: ColumnMapping): Promise<void> {
    this.recipe.columns[file.file.name] = mapping;
    await this.recipeChanged(true);
  }

  /** Reads all data files anew: the model, the system prompt or the limit changed. */
  async reloadData(): Promise<void> {
    const { model, recipe } = this;
    if (!model) return;
    const settings = { systemPrompt: recipe.system_prompt, maxLength: recipe.max_length, dateString: recipe.date_string, maskHistory: recipe.mask_history };
    await this.data.load({ modelId: model.id, settings, columns: $state.snapshot(recipe.columns) });
    await this.refreshPlan();
  }

  async loadRecipe(file: File): Promise<void> {
    await this.guard(async () => {
      await this.takeRecipe(parseRecipe(await file.text()));
    });
  }

  /** Sets a preset's keys; the first validation file decides what is best where the preset keeps the best. */
  async usePreset(preset: Preset): Promise<void> {
    applyPreset(this.recipe, preset, this.data.validation[0]?.name);
    await this.recipeChanged(false);
  }

  get presetName(): string {
    return presetOf(this.recipe)?.name ?? 'Your own';
  }

  private async takeRecipe(recipe: Recipe): Promise<void> {
    this.recipe = recipe;
    this.recipeError = null;
    const stored = this.models.find(({ name, complete, quantization }) => complete && name === this.recipe.model && quantization === this.recipe.quantization);
    if (stored) await this.selectModel(stored.id);
    else await this.reloadData();
  }

  /** Checks an edited recipe; a bad value is told and the plan is made anew. */
  async recipeChanged(needsData: boolean): Promise<void> {
    try {
      parseRecipe($state.snapshot(this.recipe));
      this.recipeError = null;
    } catch (error) {
      this.plan = null;
      this.recipeError = messageOf(error);
      return;
    }
    await this.guard(() => (needsData ? this.reloadData() : this.refreshPlan()));
  }

  get recipeJson(): string {
    return recipeToJson({
      ...$state.snapshot(this.recipe),
      model: this.recipe.model || (this.model?.name ?? ''),
      train_file: this.data.train ? pathInRecipe(this.recipe, this.data.train.file) : this.recipe.train_file,
      validation_files: this.data.validation.length > 0 ? this.data.validation.map(({ file }) => pathInRecipe(this.recipe, file)) : this.recipe.validation_files,
    });
  }

  /** Why Train cannot be pressed. */
  get blockers(): string[] {
    const reasons: string[] = [];
    const { model, data, recipe } = this;
    if (!model) reasons.push('Drop a model first.');
    else if (model.quantization !== recipe.quantization)
      reasons.push(`The recipe asks for quantization "${recipe.quantization}", the stored model is "${model.quantization}". Drop the model's files again, or change the recipe.`);
    reasons.push(...data.blockers, ...maskBlockers(data.train?.report));
    const metric =
      model && data.train?.report
        ? metricFault(
            recipe.evaluation,
            data.usable.map(({ name }) => name),
          )
        : null;
    if (metric) reasons.push(metric);
    if (this.recipeError) reasons.push(this.recipeError);
    if (this.planError) reasons.push(this.planError);
    const start = this.history.blockerFor(model?.id, recipe);
    if (start) reasons.push(start);
    return reasons;
  }

  /** Whether something is being read, imported or planned. */
  get busy(): boolean {
    return this.pending > 0;
  }

  async startRun(resume: OpenRun | null = null): Promise<void> {
    const { model, plan, data } = this;
    const { train, usable } = data;
    if (!model || !train?.report || !plan) return;
    this.error = null;
    const recipe = parseRecipe(JSON.parse(this.recipeJson) as object);
    const run = new Run(
      usable.map(({ name }) => name),
      plan.totalSteps,
      recipe.evaluation.forgetting_threshold,
    );
    this.run = run;
    this.result = null;
    const startFrom = resume ? null : this.history.startFrom;
    this.history.startFrom = null;
    this.flow.reset();
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
      const { ports: evaluators, failed } = await connectEvaluators(usable, recipe, (file, message, restarted) => {
        if (run.active) void replaceEvaluator(this.trainer.api, file, recipe, message, restarted);
      });
      const request: RunRequest = {
        modelId: model.id,
        modelName: model.name,
        recipe,
        trainLengths,
        longestValidation,
        padTokenId,
        rows: rows.port2,
        evaluators,
        training,
        validation,
        resumeRunId: resume?.runId ?? null,
        startFrom,
      };
      const ports = [rows.port2, ...evaluators.flatMap(({ scorer, evaluate }) => [scorer, evaluate])];
      const crashed = new Promise<never>((_, reject) => (this.onTrainerCrash = reject));
      const ended = this.trainer.api.run(
        transfer(request, ports),
        proxy((event) => run.take(event)),
        proxy(requestsMade),
      );
      for (const [file, message] of failed) void this.trainer.api.evaluatorDied(file.name, message, false);
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
    await this.guard(async () => {
      this.result = Result.ofRun(run, await this.history.details(run.id), recipeToJson(run.recipe), this.resultWorkers);
      this.flow.show('result');
    });
  }

  /** The next run goes on from the adapter of a kept run, or from a dropped one; the recipe's lora becomes the adapter's. */
  async continueFrom(adapter: RunSummary | readonly File[]): Promise<void> {
    await this.guard(async () => {
      if (!this.model && 'modelId' in adapter) {
        if (!this.models.some(({ id }) => id === adapter.modelId)) throw new Error(`${adapter.modelName} is not stored in this browser any more. Drop its files first.`);
        await this.useModel(await this.importer.api.details(adapter.modelId));
      }
      if (!this.model) throw new Error('Choose the model that the adapter belongs to first: the adapter is checked against it.');
      if ('modelId' in adapter) await this.history.startFromRun(adapter, this.model.id);
      else await this.history.startFromFiles(adapter, this.model.id);
      this.recipe.lora = parseRecipe({ lora: this.history.startFrom!.lora }).lora;
      await this.recipeChanged(false);
      this.flow.show('run');
    });
  }

  /** Where the browser has no room for this run's checkpoints: said before the start. */
  get roomWarning(): string | null {
    const { plan, storage } = this;
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
    if (run.runId !== null) this.keeper.api.setNotes(run.runId, run.notes).catch((error: unknown) => this.fail(messageOf(error)));
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
    // Braces: what the callback returns would be cloned into the worker.
    return this.trainer.api.checkGpu(
      proxy((done: number, total: number) => {
        onProgress(done, total);
      }),
    );
  }

  async discardRun(runId: string): Promise<void> {
    await this.guard(async () => {
      await this.trainer.api.discardRun(runId);
      await this.refreshRuns();
    });
  }

  /** Whether an unfinished run was made with this model and training file, so that it can go on. */
  canResume(run: OpenRun): boolean {
    return run.modelId === this.model?.id && run.trainFile === this.data.train?.file.name && this.blockers.length === 0;
  }

  async resumeRun(open: OpenRun): Promise<void> {
    this.recipe = open.recipe;
    await this.reloadData();
    await this.startRun(open);
  }

  private async useModel(details: ModelDetails): Promise<void> {
    this.model = details;
    await this.reloadData();
  }

  private get planRequest(): PlanRequest | null {
    const { model, data, recipe } = this;
    const report = data.train?.report;
    if (!model || !report) return null;
    return { modelId: model.id, recipe: $state.snapshot(recipe), trainLengths: report.lengths, longestValidation: data.longestValidation };
  }

  /** Plans recipes that need less memory than the one at hand. */
  async findRemedies(): Promise<void> {
    const request = this.planRequest;
    if (request && !this.recipeError) await this.memory.findRemedies(request, this.plan?.memory.total ?? Infinity);
  }

  async applyRemedy(remedy: Remedy): Promise<void> {
    remedy.change(this.recipe);
    await this.recipeChanged(remedy.needsData);
  }

  private async refreshPlan(): Promise<void> {
    const { model, data } = this;
    const report = data.train?.report;
    this.plan = null;
    this.planError = null;
    this.memory.forget();
    if (!model || !report || report.summary.rows === 0) return;
    const longest = Math.max(report.summary.longest, data.longestValidation);
    if (longest > model.maxPositions) {
      this.planError = `The longest row has ${integer(longest)} tokens, but this model knows ${integer(model.maxPositions)} positions. Lower max_length to ${model.maxPositions}.`;
      return;
    }
    try {
      this.plan = await this.trainer.api.plan(this.planRequest!);
    } catch (error) {
      this.planError = messageOf(error);
    }
  }

  /** The runs that are kept, and those that can go on; with the room they take. */
  async refreshRuns(): Promise<void> {
    this.openRuns = await this.trainer.api.openRuns();
    await this.history.refresh();
    this.storage = await this.importer.api.storage();
  }

  private readonly resultWorkers = { trainer: () => this.trainer.api, history: () => this.keeper.api };
  private onTrainerCrash: (error: Error) => void = () => undefined;

  /** A trainer that crashes is replaced, so that the run can go on from its last checkpoint. */
  private newTrainer(): WorkerHandle<TrainerApi> {
    return startTrainer((message) => {
      this.trainer.terminate();
      this.trainer = this.newTrainer();
      this.onTrainerCrash(new Error(`The trainer crashed: ${message}. The run is kept as it was at its last checkpoint: press Resume.`));
    });
  }

  private async refreshModels(): Promise<void> {
    this.models = await this.importer.api.models();
    this.storage = await this.importer.api.storage();
  }

  private async guard(work: () => Promise<void>): Promise<void> {
    this.error = null;
    this.pending++;
    try {
      await work();
    } catch (error) {
      this.fail(messageOf(error));
    } finally {
      this.pending--;
    }
  }

  private fail(message: string): void {
    this.error = message;
  }
}

/** What would be learned wrongly from every row, however long it trains. */
function maskBlockers(report: FileReport | null | undefined): string[] {
  if (!report || report.summary.rows === 0) return [];
  const { file, summary, mask, padToken } = report;
  const reasons: string[] = [];
  if (summary.supervisedTokens === 0) reasons.push(`${file} has no token to learn from. Check its answers and the chat template.`);
  if (mask.padIsEnd) reasons.push(`The token ${padToken} both fills batches and ends answers with this model. Use a model whose pad token is another.`);
  if (mask.withoutEnd > 0 && mask.withoutEnd === summary.rows - summary.truncatedRows)
    reasons.push(
      `No row of ${file} ends with a token that ends answers (${report.unit} ${mask.firstWithoutEnd} is the first): the model would never learn to stop. Use a model whose chat template closes the answer.`,
    );
  return reasons;
}

function leaksOf({ overlaps }: DataFile): FileInReport['leaks'] {
  return overlaps.filter(({ overlap }) => overlap.rows > 0).map(({ file, overlap }) => ({ file, rows: overlap.rows }));
}

/** A dropped file as the recipe that was loaded names it, with its folder; else by its name. */
function pathInRecipe({ train_file, validation_files }: Recipe, { name }: File): string {
  return [train_file, ...validation_files].find((path) => path.split(/[\\/]/).at(-1) === name) ?? name;
}
