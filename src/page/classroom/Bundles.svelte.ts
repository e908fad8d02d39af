/** `.finetab` bundles on the page: one opened, by drop or by the page's address, and one made. */
import { fileStem } from '../../data/files/fileNames.ts';
import type { BundlePlace } from '../../worker/import/importProtocol.ts';
import { saveBlob } from '../layout/saveFile.ts';
import type { ModelLibrary } from '../model/ModelLibrary.svelte.ts';
import type { DataFiles } from '../data/DataFiles.svelte.ts';
import { bundleChoice, bundleName } from './bundleAddress.ts';

/** What a bundle needs of the page. */
export interface BundleHost {
  readonly library: ModelLibrary;
  readonly data: DataFiles;
  readonly recipeJson: string;
  readonly flow: { show(place: 'classroom' | 'run'): void };
  loadRecipe(file: File): Promise<void>;
  addData(files: readonly File[]): Promise<void>;
  guard(where: string, work: () => Promise<void>): Promise<void>;
  fail(message: string): void;
}

const ENDING = '.finetab';

export class Bundles {
  /** Of the bundle that was opened. */
  title = $state<string | null>(null);
  /** Markdown of the opened bundle's lesson, or of the one that is being written. */
  lesson = $state('');
  opening = $state<string | null>(null);
  saving = $state(false);

  constructor(private readonly host: BundleHost) {}

  /** Opens a dropped bundle; other files are handed on. */
  async takeDrop(files: readonly File[], other: (files: readonly File[]) => Promise<void>): Promise<void> {
    const bundle = files.find(({ name }) => name.toLowerCase().endsWith(ENDING));
    await (bundle ? this.openFile(bundle) : other(files));
  }

  /** Opens the bundle that the page's address names, if it names one. */
  async openAddress(): Promise<void> {
    const { url, refusal } = bundleChoice();
    if (refusal !== null) this.host.fail(refusal);
    if (url !== null) await this.open({ url }, bundleName(url));
  }

  openFile(file: File): Promise<boolean> {
    return this.open({ file, name: file.name }, file.name);
  }

  /**
   * Model, recipe, data and lesson take the place of what the page has. A bundle that is a model alone
   * changes nothing but the model.
   * @returns whether the bundle was opened; what is wrong with it is shown
   */
  async open(place: BundlePlace, name: string): Promise<boolean> {
    const { host } = this;
    this.opening = name;
    try {
      const rest = await host.library.importBundle(place, name);
      if (!rest) return false;
      if (rest.data.length === 0 && !rest.lesson) return true;
      for (const file of host.data.all) if (file.side !== 'heldOut') host.data.remove(file);
      await host.loadRecipe(new File([rest.recipe], 'recipe.json'));
      await host.addData(rest.data.map((file) => new File([file.blob], file.name)));
      this.title = rest.title;
      this.lesson = rest.lesson ?? '';
      host.flow.show(this.lesson.trim() === '' ? 'run' : 'classroom');
      return true;
    } finally {
      this.opening = null;
    }
  }

  /** Downloads the chosen model, the recipe, the data files and the lesson as one file. */
  async save(title: string): Promise<void> {
    const { host } = this;
    this.saving = true;
    await host.guard('making a bundle', async () => {
      const parts = host.data.all.filter(({ side }) => side !== 'heldOut').flatMap((file) => file.parts);
      const data = parts.map(({ file }) => ({ name: file.name, blob: file }));
      const lesson = this.lesson.trim() === '' ? null : this.lesson;
      const name = `${fileStem(title, 'class')}${ENDING}`;
      const extras = { title, recipe: host.recipeJson, data, lesson };
      saveBlob(name, await host.library.saveBundle(extras, name));
    });
    this.saving = false;
  }
}
