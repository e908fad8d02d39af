/** One data file on the page: the worker that reads it, and what it said. */
import { proxy, startDataset, startEvaluation, type WorkerHandle } from '../worker/client.ts';
import type { DatasetApi, DocumentSettings, EvaluationApi, FileReport, PackedPreview, PackedRequest, PreviewToken } from '../worker/protocol.ts';
import { messageOf } from './text.ts';

type Handle = WorkerHandle<DatasetApi> | WorkerHandle<EvaluationApi>;

export class DataFile {
  report = $state.raw<FileReport | null>(null);
  progress = $state<{ done: number; total: number } | null>(null);
  error = $state<string | null>(null);
  /** Whether a preview of its rows starts unfolded. */
  previewOpen = false;
  previewRow = $state(0);
  previewTokens = $state.raw<PreviewToken[]>([]);
  private handle: Handle | null = null;
  private generation = 0;
  /** Told when the worker dies while it is in use. */
  onDeath: (message: string) => void = () => undefined;

  constructor(
    readonly file: File,
    readonly role: 'train' | 'validation',
    /** Of a validation set: its name in metrics. */
    readonly name: string,
  ) {}

  /** Reads the file with a model's tokenizer; a later call outruns an earlier one. */
  async load(modelId: string, settings: DocumentSettings): Promise<void> {
    const mine = ++this.generation;
    this.report = null;
    this.error = null;
    this.progress = { done: 0, total: 0 };
    try {
      const { api } = this.worker();
      const report = await api.load(
        { modelId, settings, file: this.file },
        proxy((done: number, total: number) => {
          if (mine === this.generation) this.progress = { done, total };
        }),
      );
      if (mine !== this.generation) return;
      this.report = report;
      await this.preview(0);
    } catch (error) {
      if (mine === this.generation) this.error = messageOf(error);
    } finally {
      if (mine === this.generation) this.progress = null;
    }
  }

  async preview(row: number): Promise<void> {
    this.previewRow = row;
    this.previewTokens = await this.worker().api.preview(row);
  }

  /** The micro-batch that a row is in. */
  packed(request: PackedRequest): Promise<PackedPreview | null> {
    return this.worker().api.packed(request);
  }

  dataset(): WorkerHandle<DatasetApi> {
    return this.worker() as WorkerHandle<DatasetApi>;
  }

  evaluation(): WorkerHandle<EvaluationApi> {
    return this.worker() as WorkerHandle<EvaluationApi>;
  }

  dispose(): void {
    this.generation++;
    this.handle?.terminate();
    this.handle = null;
  }

  private worker(): Handle {
    const died = (message: string) => {
      this.error = `Reading ${this.file.name} failed: ${message}. Remove the file and drop it again.`;
      this.progress = null;
      this.handle = null;
      this.onDeath(message);
    };
    this.handle ??= this.role === 'train' ? startDataset(died) : startEvaluation(this.name, died);
    return this.handle;
  }
}
