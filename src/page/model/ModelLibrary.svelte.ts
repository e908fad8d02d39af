/** The models of this browser: those that are stored, the chosen one, and the import that is running. */
import { startImport, withListener, type Remote } from '../../worker/client.ts';
import { SupervisedWorker } from '../../worker/supervisedWorker.ts';
import type {
  BroughtBundle,
  BundleExtras,
  BundlePlace,
  HubFacts,
  ImportApi,
  ModelDetails,
  ModelSummary,
  StorageUse,
} from '../../worker/import/importProtocol.ts';
import type { Recipe } from '../../training/recipe.ts';
import { report } from '../../lib/errorLog.ts';
import { shortModelName } from '../../lib/modelNames.ts';
import { hubChoice } from './hubEndpoint.ts';

/** What the library needs of the page. */
export interface ModelLibraryHost {
  readonly recipe: Recipe;
  /** Runs work while the page is busy, and shows its error. */
  guard(where: string, work: () => Promise<void>): Promise<void>;
  /** Reads what depends on the model again. */
  modelChosen(): Promise<void>;
}

type Progress = (done: number, total: number) => void;

export class ModelLibrary {
  models = $state.raw<ModelSummary[]>([]);
  model = $state.raw<ModelDetails | null>(null);
  /** Bytes of the model that is imported now; `total` is 0 until its files' headers are read. */
  importing = $state<{ name: string; done: number; total: number } | null>(null);
  storage = $state.raw<StorageUse | null>(null);
  readonly worker = new SupervisedWorker<ImportApi>('import', startImport);
  private cancelled = false;

  constructor(private readonly host: ModelLibraryHost) {}

  /** @param given name of the model; where it is absent, the folder's or the file's */
  async importModel(files: readonly File[], given = ''): Promise<void> {
    const { recipe } = this.host;
    await this.host.guard('importing a model', async () => {
      const named = files.map((file) => ({ path: file.webkitRelativePath || file.name, blob: file }));
      const folder = named[0]?.path.includes('/') ? named[0].path.split('/')[0] : '';
      const single = named.length === 1 ? named[0].path.replace(/\.gguf$/i, '') : '';
      // Loose files have no name of their own: the recipe's, unless a stored model has that one.
      const inRecipe = shortModelName(recipe.model);
      const isTaken = this.models.some(({ name, complete }) => complete && name === inRecipe);
      const name = given || folder || single || (isTaken ? '' : inRecipe) || 'dropped model';
      await this.bring(name, (api, known, progress) =>
        api.importModel(named, known, recipe.quantization, progress),
      );
    });
  }

  /** @param id "owner/name" @param token '' for none */
  async downloadModel(id: string, token: string): Promise<void> {
    const { recipe } = this.host;
    await this.host.guard('downloading a model', () =>
      this.bring(id, (api, name, progress) =>
        api.importFromHub(name, recipe.quantization, { endpoint: hubChoice().endpoint, token }, progress),
      ),
    );
  }

  /** What the Hub says of a model, before anything is downloaded; null where it could not be asked. */
  async hubFacts(id: string, token: string): Promise<HubFacts | null> {
    let facts: HubFacts | null = null;
    await this.host.guard('asking the Hub about a model', async () => {
      const access = { endpoint: hubChoice().endpoint, token };
      const { quantization, training } = this.host.recipe;
      const limit = training.gpu_memory_limit_gib;
      const gpuBytes = limit === null ? null : limit * 2 ** 30;
      facts = await this.worker.ask((api) => api.hubFacts(id, quantization, gpuBytes, access));
    });
    return facts;
  }

  /**
   * Ends the import that is running. What it stored stays, so that the next import of the model is shorter.
   */
  cancelImport(): void {
    if (!this.importing) return;
    this.cancelled = true;
    this.worker.end();
  }

  /** The stored model that a recipe asks for. */
  storedFor({ model, quantization: wanted }: Recipe): ModelSummary | undefined {
    return this.models.find(
      ({ name, complete, quantization }) => complete && name === model && quantization === wanted,
    );
  }

  async select(id: string): Promise<void> {
    await this.host.guard('choosing a model', () => this.choose(id));
  }

  /** As `select`, where the caller shows the error. */
  async choose(id: string): Promise<void> {
    await this.use(await this.worker.ask((api) => api.details(id)));
  }

  async remove(id: string): Promise<void> {
    await this.host.guard('deleting a model', async () => {
      await this.worker.ask((api) => api.remove(id));
      if (this.model?.id === id) this.model = null;
      await this.refresh();
    });
  }

  async refresh(): Promise<void> {
    this.models = await this.worker.ask((api) => api.models());
    await this.refreshStorage();
  }

  async refreshStorage(): Promise<void> {
    this.storage = await this.worker.ask((api) => api.storage());
  }

  /**
   * Stores the model of a bundle and chooses it.
   * @returns the rest of the bundle; null where the import was cancelled or failed, which is shown
   */
  async importBundle(place: BundlePlace, name: string): Promise<BroughtBundle | null> {
    let rest: BroughtBundle | null = null;
    await this.host.guard('opening a bundle', () =>
      this.bring(name, async (api, _name, progress) => {
        const brought = await api.importBundle(place, progress);
        ({ rest } = brought);
        return brought.details;
      }),
    );
    return rest;
  }

  /** @returns names of the tensors of a stored model that are damaged */
  verify(id: string, onProgress: Progress): Promise<string[]> {
    return withListener(onProgress, (send) => this.worker.ask((api) => api.verify(id, send)));
  }

  /** Asks the browser not to clear what is stored by itself. @returns whether it promised */
  async keep(): Promise<boolean> {
    const kept = await navigator.storage.persist();
    await this.refreshStorage();
    return kept;
  }

  /**
   * A stored model with a recipe, data and a lesson as one file.
   * @param id the chosen model's where absent
   */
  saveBundle(extras: BundleExtras, name: string, id = this.model!.id): Promise<File> {
    return this.worker.ask((api) => api.saveBundle(id, extras, name));
  }

  private async bring(
    name: string,
    work: (api: Remote<ImportApi>, name: string, progress: Progress) => Promise<ModelDetails>,
  ): Promise<void> {
    this.importing = { name, done: 0, total: 0 };
    this.cancelled = false;
    const onProgress = (done: number, total: number) => {
      this.importing = { name, done, total };
    };
    let details: ModelDetails;
    try {
      details = await withListener(onProgress, (send) => this.worker.ask((api) => work(api, name, send)));
    } catch (error) {
      if (!this.cancelled) throw error;
      // The person ended it: that is no error. The list shows what it left.
      await this.refresh();
      return;
    } finally {
      this.importing = null;
    }
    this.askToKeep();
    await this.refresh();
    await this.use(details);
  }

  /** As `keep`. Firefox asks the person, who may leave the question open: nothing waits for the answer. */
  private askToKeep(): void {
    this.keep().catch((error: unknown) =>
      report(error, 'asking the browser to keep what is stored', 'warning'),
    );
  }

  private async use(details: ModelDetails): Promise<void> {
    this.model = details;
    await this.host.modelChosen();
  }
}
