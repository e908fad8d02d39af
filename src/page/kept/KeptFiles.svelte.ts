/**
 * The work at hand over a reload. Files come back by a copy in this browser, where the person allows one, or
 * from their place on the disk by a click; a file of which neither is kept is asked for by its name.
 */
import { SvelteMap } from 'svelte/reactivity';
import { t } from '../language/messages.svelte.ts';
import { parseRecipe, recipeToJson, type Recipe } from '../../training/recipe.ts';
import type { Remote } from '../../worker/client.ts';
import type { ImportApi, KeptFile } from '../../worker/import/importProtocol.ts';
import { bundleChoice } from '../classroom/bundleAddress.ts';
import type { DataFiles } from '../data/DataFiles.svelte.ts';
import type { Part } from '../data/DataFile.svelte.ts';
import { reported } from '../errors/reported.ts';
import { keepSetting, keptSetting } from '../keptSettings.ts';
import type { ModelLibrary } from '../model/ModelLibrary.svelte.ts';
import { handleOf, isOwn, withHandle, type FileHandle } from './fileHandles.ts';
import { keepWork, keptWork, partOf, type KeptPart, type KeptWork } from './keptWork.ts';

/** What of the page is kept. */
export interface KeptHost {
  recipe: Recipe;
  readonly recipeJson: string;
  readonly recipeError: string | null;
  readonly library: ModelLibrary;
  readonly data: DataFiles;
  readonly queue: { readonly active: boolean };
  recipeChanged(needsData: boolean): Promise<void>;
  reloadData(): Promise<void>;
  guard(where: string, work: () => Promise<void>): Promise<void>;
}

interface Missing {
  part: KeptPart;
  handle: FileHandle | null;
}

/** A file that is here again. */
interface Found {
  of: KeptPart;
  part: Part;
}

const COPIES = 'finetab.copies';

export class KeptFiles {
  /** Whether the person allows copies. */
  copies = $state(keptSetting(COPIES) === 'yes');
  /** Bytes of the copies that are kept. */
  copiedBytes = $state(0);
  /** Files of the last visit that are not here. */
  private lost = $state.raw<Missing[]>([]);
  /** Whether the work of the last visit was brought back. */
  restored = $state(false);
  /** Why a file could not be kept. */
  error = $state<string | null>(null);
  /** Nothing is written before what was kept has been read. */
  private ready = false;
  private saving: Promise<void> = Promise.resolve();
  private readonly ids = new WeakMap<File, string>();
  /** What is written of a file, by its id. */
  private readonly written = new SvelteMap<string, KeptPart['as']>();
  private count = 0;

  constructor(private readonly host: KeptHost) {}

  /** Files of the last visit that the person has to give again, or to allow. */
  get missing(): Missing[] {
    const here = this.host.data.parts.map(({ part }) => part.name);
    return this.lost.filter(({ part }) => !here.includes(part.name));
  }

  /** Brings back the work of the last visit, unless the page's address asks for other work. */
  async restore(): Promise<void> {
    const kept = bundleChoice().url === null ? keptWork() : null;
    if (kept) await this.host.guard('bringing back the work of the last visit', async () => this.bring(kept));
    this.ready = true;
  }

  /** Keeps what is on the page now. Is called after every change. */
  save(): Promise<void> {
    this.saving = this.saving
      .then(() => this.write())
      .catch((error: unknown) => {
        this.error = reported(error, 'keeping the work at hand');
      });
    return this.saving;
  }

  allowCopies(allowed: boolean): Promise<void> {
    this.copies = allowed;
    keepSetting(COPIES, allowed ? 'yes' : null);
    return this.save();
  }

  /** Opens the missing files where they lie on the disk. Call it in a click: the browser asks the person. */
  async reopen(): Promise<void> {
    const { data } = this.host;
    await this.host.guard('opening the files of the last visit', async () => {
      const found: Found[] = [];
      for (const { part, handle } of this.missing)
        if (handle && (await handle.requestPermission({ mode: 'read' })) === 'granted')
          found.push({ of: part, part: partOf(part, withHandle(await handle.getFile(), handle)) });
      if (found.length === 0) return;
      const { skipsBadRows } = data;
      this.arrange(found);
      data.skipsBadRows = skipsBadRows;
      await this.host.reloadData();
    });
  }

  /** Forgets the files of the last visit that are not here. */
  forgetMissing(): Promise<void> {
    this.lost = [];
    return this.save();
  }

  /** Empties the page, and forgets all that was kept of the work; models and runs stay stored. */
  async startAfresh(): Promise<void> {
    const { host } = this;
    host.library.model = null;
    host.data.restore([]);
    host.recipe = parseRecipe({});
    this.lost = [];
    this.restored = false;
    await host.recipeChanged(false);
    await this.save();
  }

  private async bring(kept: KeptWork): Promise<void> {
    const { library, data } = this.host;
    // Whatever fails from here on, all of it is still named, and kept, and comes back another time.
    this.lost = kept.files.map((part) => ({ part, handle: null }));
    this.host.recipe = kept.recipe;
    data.skipsBadRows = kept.skipsBadRows;
    const stored = await library.worker.ask((api) => api.keptFiles());
    const orphans = [...stored.keys()].filter((id) => !kept.files.some((part) => part.id === id));
    if (orphans.length > 0) await library.worker.ask((api) => api.forgetFiles(orphans));
    const found: Found[] = [];
    const placeOf = ({ id }: KeptPart) => (stored.get(id)?.handle ?? null) as FileHandle | null;
    this.lost = kept.files.map((part) => ({ part, handle: placeOf(part) }));
    for (const part of kept.files) {
      const place = placeOf(part);
      const file = stored.get(part.id)?.copy ?? (place && (await this.allowed(place)));
      if (!file) continue;
      this.written.set(part.id, part.as);
      found.push({ of: part, part: partOf(part, place ? withHandle(file as File, place) : file) });
    }
    this.restored = true;
    this.arrange(found);
    data.skipsBadRows = kept.skipsBadRows;
    const isStored = library.models.some(({ id, complete }) => complete && id === kept.modelId);
    if (isStored) await library.choose(kept.modelId!);
    else await this.host.recipeChanged(false);
  }

  /** A file that may be read without asking again; null where it may not, or is not there any more. */
  private async allowed(place: FileHandle): Promise<File | null> {
    try {
      return (await place.queryPermission({ mode: 'read' })) === 'granted' ? await place.getFile() : null;
    } catch (error) {
      reported(error, 'opening a file of the last visit');
      return null;
    }
  }

  /**
   * Puts found files among those that are here. The order of joined files is that of the last visit: it
   * decides in which order rows are learned.
   */
  private arrange(found: readonly Found[]): void {
    const { data } = this.host;
    for (const { of, part } of found) this.ids.set(part.file, of.id);
    const here = data.parts.map(({ part, owner }) => ({
      ...part,
      role: owner.role,
      set: owner.role === 'validation' ? owner.name : null,
    }));
    const known = this.lost.flatMap(({ part: { id, name, role, set } }) => {
      const again = found.find(({ of }) => of.id === id);
      return here.find((part) => part.name === name) ?? (again ? { ...again.part, role, set } : []);
    });
    data.restore([...known, ...here.filter(({ name }) => !known.some((part) => part.name === name))]);
  }

  private async write(): Promise<void> {
    const { library, data, queue } = this.host;
    // While the queue works the recipe on the page is that of a run.
    if (!this.ready || queue.active || this.host.recipeError !== null) return;
    this.error = null;
    const files: KeptPart[] = [];
    for (const { part, owner } of data.parts) {
      const set = owner.role === 'validation' ? owner.name : null;
      files.push(await this.keepPart(part, owner.role, set));
    }
    for (const { part } of this.missing) files.push(part);
    this.copiedBytes = files.reduce((sum, { as, bytes }) => sum + (as === 'copy' ? bytes : 0), 0);
    const recipe = parseRecipe(this.host.recipeJson);
    const modelId = library.model?.id ?? null;
    const isEmpty = modelId === null && files.length === 0 && isDefault(recipe);
    const work = isEmpty ? null : { modelId, recipe, skipsBadRows: data.skipsBadRows, files };
    if (!keepWork(work) && work) this.error = t.kept.notKept;
    await this.forget(files);
  }

  /** Removes what is stored of files that are not on the page any more, and copies that are not allowed. */
  private async forget(files: readonly KeptPart[]): Promise<void> {
    const stay = files.filter(({ as }) => as !== 'name').map(({ id }) => id);
    const gone = [...this.written.keys()].filter((id) => !stay.includes(id));
    if (gone.length === 0) return;
    await this.ask((api) => api.forgetFiles(gone));
    for (const id of gone) this.written.delete(id);
  }

  private async keepPart({ file, name, isMended = false }: Part, role: KeptPart['role'], set: string | null) {
    const id = this.ids.get(file) ?? `${Date.now()}-${this.count++}`;
    this.ids.set(file, id);
    const handle = isMended ? undefined : handleOf(file);
    let as: KeptPart['as'] = this.copies || isOwn(file) ? 'copy' : handle ? 'handle' : 'name';
    if (as !== 'name' && this.written.get(id) !== as) {
      const kept: KeptFile = as === 'copy' ? { copy: file } : { handle };
      if (await this.ask((api) => api.keepFile(id, kept))) this.written.set(id, as);
      else as = 'name';
    }
    const { name: fileName, webkitRelativePath: path = '', size: bytes, lastModified } = file;
    return { id, name, isMended, fileName, path, bytes, lastModified, role, set, as };
  }

  private async ask(question: (api: Remote<ImportApi>) => Promise<void>): Promise<boolean> {
    try {
      await this.host.library.worker.ask(question);
      return true;
    } catch (error) {
      this.error = reported(error, 'keeping or forgetting data files');
      return false;
    }
  }
}

function isDefault(recipe: Recipe): boolean {
  return recipeToJson(recipe) === recipeToJson(parseRecipe({}));
}
