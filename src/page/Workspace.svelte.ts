/** The page's state: model, data, recipe, plan, run. Components show it and call it. */
import { t } from './language/messages.svelte.ts';
import { parseRecipe, type Recipe } from '../training/recipe.ts';
import type { ColumnMapping } from '../data/rows/rowFormats.ts';
import type { KernelRequest, RunPlan } from '../worker/trainer/trainerProtocol.ts';
import type { ModelDetails, ModelSummary } from '../worker/import/importProtocol.ts';
import type { DataFile, Part, PlaceInPart, Role } from './data/DataFile.svelte.ts';
import { DataFiles } from './data/DataFiles.svelte.ts';
import { rowSettings } from './data/recipe/rowSettings.ts';
import { ClassLink } from './classroom/ClassLink.svelte.ts';
import { Bundles } from './classroom/Bundles.svelte.ts';
import { DemoRun } from './model/DemoRun.svelte.ts';
import { Flow } from './layout/Flow.svelte.ts';
import { KeptFiles } from './kept/KeptFiles.svelte.ts';
import { ModelLibrary } from './model/ModelLibrary.svelte.ts';
import { applyPreset, presetOf, type Preset } from './recipe/presets.ts';
import type { Result } from './result/Result.svelte.ts';
import type { RunView } from './run/RunView.svelte.ts';
import { RunQueue } from './queue/RunQueue.svelte.ts';
import { RunController } from './run/RunController.svelte.ts';
import { recipeOfFile, recipeText, type TakenRecipe } from './recipe/recipeFile.ts';
import { hasRecipe, recipeOfLink } from './recipe/shareLink.ts';
import { blockersOf, startBlockers } from './run/blockers.ts';
import { Planning } from './run/Planning.svelte.ts';
import { reported } from './errors/reported.ts';
import { whenInMemory } from '../worker/client.ts';
import type { Remedy } from './gpu/memoryVerdict.ts';

export class Workspace {
  readonly library = new ModelLibrary(this);
  readonly runs: RunController = new RunController(this);
  readonly data = new DataFiles();
  readonly demo = new DemoRun(this);
  readonly bundles = new Bundles(this);
  readonly classLink = new ClassLink(this);
  readonly flow = new Flow(this);
  readonly planning = new Planning(this, this.runs.trainer);
  readonly queue: RunQueue = new RunQueue(this);
  readonly kept = new KeptFiles(this);
  recipe = $state<Recipe>(parseRecipe({}));
  error = $state<string | null>(null);
  /** What is wrong with the recipe in itself. */
  recipeError = $state<string | null>(null);
  /** What of another tool's recipe was not understood, or is meant otherwise here. */
  recipeNotes = $state.raw<string[]>([]);
  /** Why nothing outlives this tab; null where the browser keeps what is stored. */
  notKept = $state<string | null>(null);
  private pending = $state(0);

  async start(): Promise<void> {
    whenInMemory((cause) => (this.notKept = cause));
    await this.guard('reading what this browser keeps', async () => {
      await this.library.refresh();
      await this.runs.refreshRuns();
    });
    await this.kept.restore();
    await this.openLink();
    await this.bundles.openAddress();
  }

  get model(): ModelDetails | null {
    return this.library.model;
  }

  get models(): ModelSummary[] {
    return this.library.models;
  }

  get importing(): ModelLibrary['importing'] {
    return this.library.importing;
  }

  get plan(): RunPlan | null {
    return this.planning.plan;
  }

  get kernels(): KernelRequest {
    return this.planning.kernels;
  }

  get run(): RunView | null {
    return this.runs.run;
  }

  get result(): Result | null {
    return this.runs.result;
  }

  /** Reads what depends on the model again. */
  async modelChosen(): Promise<void> {
    await this.reloadData();
    if (!this.demo.preparing && !this.bundles.opening) this.flow.moveOn('model');
  }

  /** Fills in the recipe of a shared link, and takes it off the address: a reload does not repeat it. */
  async openLink(): Promise<void> {
    if (!hasRecipe(location.hash)) return; // guarded work takes the last error away
    await this.guard('reading a shared link', async () => {
      const recipe = recipeOfLink(location.hash);
      if (!recipe) return;
      history.replaceState(null, '', location.pathname + location.search);
      await this.takeRecipe({ recipe, notes: [] });
    });
  }

  /** Whether nothing was chosen, dropped or loaded yet. */
  get untouched(): boolean {
    const { model, importing, run, data, recipe } = this;
    return !model && !importing && !run && data.all.length === 0 && recipe.model === '';
  }

  /** Takes dropped data files, in the roles that the recipe or their names give them. */
  async addData(files: readonly File[]): Promise<void> {
    await this.guard('reading data files', async () => {
      this.data.add(files, this.recipe);
      await this.reloadData();
    });
  }

  /** @param part one of several files that are read as one; all of them where it is left out */
  removeData(file: DataFile, part?: Part): void {
    if (file.side === 'heldOut') throw new Error('rows are held out by the recipe');
    const leavesRest = file.role === 'train' && (file.parts.length > 1 || this.recipe.val_set_size > 0);
    this.data.remove(file, part);
    void this.guard('removing a data file', async () => {
      if (leavesRest) return this.reloadData();
      await this.data.compare();
      await this.planning.refresh();
    });
  }

  /** Leaves these rows out of every file, and no others. @param keys as the findings name them */
  async leaveOut(keys: readonly string[]): Promise<void> {
    this.recipe.left_out_rows = [...keys];
    await this.recipeChanged(true);
  }

  /** Puts a row right where it stands. @param text as the file writes it; null takes it out */
  async mendRow(file: DataFile, part: Part, place: PlaceInPart, text: string | null): Promise<void> {
    this.data.replace(file, part, await file.mended(part, place, text));
    await this.guard('reading a mended file', () => this.reloadData());
  }

  /** Uses a data file for something else. */
  async changeRole(file: DataFile, part: Part, role: Role): Promise<void> {
    await this.guard('changing the role of a data file', async () => {
      this.data.setRole(file, part, role);
      await this.reloadData();
    });
  }

  /** Says what the columns of a file in no known format are. The recipe keeps it for the file's name. */
  async chooseColumns(name: string, mapping: ColumnMapping): Promise<void> {
    // Not by assignment, which a file called "__proto__" would escape.
    this.recipe.columns = { ...this.recipe.columns, [name]: mapping };
    await this.recipeChanged(true);
  }

  readAgain(): Promise<void> {
    return this.guard('reading data files again', () => this.reloadData());
  }

  /** Reads all data files again: the model, the system prompt or the limit changed. */
  async reloadData(): Promise<void> {
    if (!this.model) return;
    await this.data.load(rowSettings(this.model.id, $state.snapshot(this.recipe)));
    await this.planning.refresh();
  }

  async loadRecipe(file: File): Promise<void> {
    await this.guard('loading a recipe', async () => this.takeRecipe(await recipeOfFile(file)));
  }

  /** Sets a preset's keys; the first validation file decides what is best where the preset keeps the best. */
  async usePreset(preset: Preset): Promise<void> {
    applyPreset(this.recipe, preset, this.data.validation[0]?.name);
    await this.recipeChanged(false);
  }

  get presetName(): string {
    const preset = presetOf(this.recipe);
    return preset ? t.recipe.presets[preset.id].name : t.recipe.custom;
  }

  private async takeRecipe({ recipe, notes }: TakenRecipe): Promise<void> {
    this.recipe = recipe;
    this.recipeNotes = notes;
    this.recipeError = null;
    const stored = this.library.storedFor(recipe);
    if (stored) await this.library.select(stored.id);
    else await this.reloadData();
  }

  /** Checks an edited recipe, shows a bad value, and plans the run again. */
  async recipeChanged(needsData: boolean): Promise<void> {
    try {
      parseRecipe($state.snapshot(this.recipe));
      this.recipeError = null;
    } catch (error) {
      this.planning.forget();
      this.recipeError = reported(error, 'checking the recipe');
      return;
    }
    await this.guard('applying the recipe', () => (needsData ? this.reloadData() : this.planning.refresh()));
  }

  get recipeJson(): string {
    return recipeText($state.snapshot(this.recipe), this.model, this.data);
  }

  /** Why no run can begin or go on. */
  get blockers(): string[] {
    const { model, data, recipe } = this;
    const start = this.runs.history.blockerFor(model?.id, recipe);
    return blockersOf({ model, data, recipe, faults: [this.recipeError, this.planning.error, start] });
  }

  /** Why Train cannot be pressed: what the recipe asks a new run to go on from stands in its way as well. */
  get trainBlockers(): string[] {
    return [...this.blockers, ...startBlockers(this.recipe, this.runs.history.startFrom !== null)];
  }

  /** Whether something is being read, imported or planned. */
  get busy(): boolean {
    return this.pending > 0;
  }

  async applyRemedy(remedy: Remedy): Promise<void> {
    remedy.change(this.recipe);
    await this.recipeChanged(remedy.needsData);
  }

  /** Runs work while the page is busy, and shows its error. @param where what the work is, in a few words */
  async guard(where: string, work: () => Promise<void>): Promise<void> {
    if (this.pending === 0) this.error = null; // beside other work nobody has read it yet
    this.pending++;
    try {
      await work();
    } catch (error) {
      this.fail(reported(error, where));
    } finally {
      this.pending--;
    }
  }

  fail(message: string): void {
    this.error = message;
  }
}
