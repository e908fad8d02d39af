/** The models of this browser: those that are stored, the chosen one, and the import that goes on. */
import { listening, startImport, type WorkerHandle } from '../../worker/client.ts';
import type {
  ImportApi,
  ModelDetails,
  ModelSummary,
  StorageUse,
} from '../../worker/import/importProtocol.ts';
import type { Recipe } from '../../training/recipe.ts';
import { hubEndpoint } from './hubEndpoint.ts';

/** What of the page the library works with. */
export interface ModelLibraryHost {
  readonly recipe: Recipe;
  /** Runs work as busy, and shows its error. */
  guard(work: () => Promise<void>): Promise<void>;
  fail(message: string): void;
  /** A model was chosen: what depends on it is made anew. */
  modelChosen(): Promise<void>;
}

type Progress = (done: number, total: number) => void;

export class ModelLibrary {
  models = $state.raw<ModelSummary[]>([]);
  model = $state.raw<ModelDetails | null>(null);
  importing = $state<{ name: string; done: number; total: number } | null>(null);
  storage = $state.raw<StorageUse | null>(null);
  private readonly importer: WorkerHandle<ImportApi>;

  constructor(private readonly host: ModelLibraryHost) {
    this.importer = startImport((message) =>
      host.fail(`The import failed: ${message}. Reload the page and drop the files again.`),
    );
  }

  async importModel(files: readonly File[]): Promise<void> {
    const { recipe } = this.host;
    await this.host.guard(async () => {
      const named = files.map((file) => ({ path: file.webkitRelativePath || file.name, blob: file as Blob }));
      const folder = named[0]?.path.includes('/') ? named[0].path.split('/')[0] : '';
      const single = named.length === 1 ? named[0].path.replace(/\.gguf$/i, '') : '';
      const inRecipe = recipe.model
        .replace(/^folder:/, '')
        .split('/')
        .at(-1);
      await this.bring(inRecipe || folder || single || 'dropped model', (name, progress) =>
        this.importer.api.importModel(named, name, recipe.quantization, progress),
      );
    });
  }

  /** @param id "owner/name" @param token '' for none */
  async downloadModel(id: string, token: string): Promise<void> {
    const { recipe } = this.host;
    await this.host.guard(() =>
      this.bring(id, (name, progress) =>
        this.importer.api.importFromHub(
          name,
          recipe.quantization,
          { endpoint: hubEndpoint(), token },
          progress,
        ),
      ),
    );
  }

  async select(id: string): Promise<void> {
    await this.host.guard(() => this.choose(id));
  }

  /** As `select`, within work that is guarded already. */
  async choose(id: string): Promise<void> {
    await this.use(await this.importer.api.details(id));
  }

  async remove(id: string): Promise<void> {
    await this.host.guard(async () => {
      await this.importer.api.remove(id);
      if (this.model?.id === id) this.model = null;
      await this.refresh();
    });
  }

  async refresh(): Promise<void> {
    this.models = await this.importer.api.models();
    await this.refreshStorage();
  }

  async refreshStorage(): Promise<void> {
    this.storage = await this.importer.api.storage();
  }

  private async bring(
    name: string,
    work: (name: string, progress: Progress) => Promise<ModelDetails>,
  ): Promise<void> {
    this.importing = { name, done: 0, total: 1 };
    const onProgress = (done: number, total: number) => {
      this.importing = { name, done, total };
    };
    const details = await listening(onProgress, (tell) => work(name, tell)).finally(
      () => (this.importing = null),
    );
    await navigator.storage.persist();
    await this.refresh();
    await this.use(details);
  }

  private async use(details: ModelDetails): Promise<void> {
    this.model = details;
    await this.host.modelChosen();
  }
}
