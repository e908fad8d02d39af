/** One data file on the page: the worker that reads it, and what it said. A worker that ends is started again once, and the file is read anew. */
import { listening, startDataset, startEvaluation, type WorkerHandle } from '../../worker/client.ts';
import type {
  DataRequest,
  DatasetApi,
  FileReport,
  PackedPreview,
  PackedRequest,
  RowFileApi,
  RowToken,
} from '../../worker/dataset/datasetProtocol.ts';
import type { EvaluationApi } from '../../worker/evaluation/evaluationProtocol.ts';
import type { Fingerprints, Overlap } from '../../data/rows/rowStatistics.ts';
import { messageOf } from '../text.ts';

/** How files are read: everything but the file itself. */
export type Reading = Omit<DataRequest, 'file'>;

type Handle = WorkerHandle<DatasetApi> | WorkerHandle<EvaluationApi>;

interface Living {
  handle: Handle;
  /** Rejects when the worker ends: what it was asked is never answered. */
  died: Promise<never>;
}

/** The worker ended before it answered. */
export class WorkerDied extends Error {}

export class DataFile {
  report = $state.raw<FileReport | null>(null);
  progress = $state<{ done: number; total: number } | null>(null);
  error = $state<string | null>(null);
  /** Whether a preview of its rows starts unfolded. */
  previewOpen = false;
  /** What befell its worker. */
  notice = $state<string | null>(null);
  /** Rows that are in another file too: leakage, where one of the two is the training file. */
  overlaps = $state.raw<{ file: string; overlap: Overlap }[]>([]);
  private living: Living | null = null;
  private generation = 0;
  private reading: Reading | null = null;
  private restarts = 0;
  private rereading: Promise<void> = Promise.resolve();
  /** Told when the file was read anew by a worker in place of one that ended. */
  onReread: () => void = () => undefined;
  /** Told when the worker ends while the file lies ready. @param restarted whether a new one has read the file; null where none is tried */
  onDeath: (message: string, restarted: Promise<boolean> | null) => void = () => undefined;

  constructor(
    readonly file: File,
    readonly role: 'train' | 'validation',
    /** Of a validation set: its name in metrics. */
    readonly name: string,
  ) {}

  /** Reads the file with a model's tokenizer; a later call outruns an earlier one. */
  async load(reading: Reading): Promise<void> {
    this.restarts = 0;
    this.notice = null;
    await this.read(reading);
  }

  /** The micro-batch that a row is in. */
  packed(request: PackedRequest): Promise<PackedPreview | null> {
    return this.ask((api) => api.packed(request));
  }

  rowTokens(row: number): Promise<RowToken[]> {
    return this.ask((api) => api.rowTokens(row));
  }

  fingerprints(): Promise<Fingerprints> {
    return this.ask((api) => api.fingerprints());
  }

  overlap(other: Fingerprints): Promise<Overlap> {
    return this.ask((api) => api.overlap(other));
  }

  dataset(): WorkerHandle<DatasetApi> {
    return this.worker().handle as WorkerHandle<DatasetApi>;
  }

  evaluation(): WorkerHandle<EvaluationApi> {
    return this.worker().handle as WorkerHandle<EvaluationApi>;
  }

  /** The answer of its worker, or WorkerDied where that ends first. */
  orDeath<T>(answer: Promise<T>): Promise<T> {
    return Promise.race([answer, this.worker().died]);
  }

  /** Waits until a worker in place of one that ended has read the file. @returns whether there is one */
  async reread(): Promise<boolean> {
    await this.rereading;
    return this.report !== null;
  }

  dispose(): void {
    this.generation++;
    this.living?.handle.terminate();
    this.living = null;
  }

  private async read(reading: Reading): Promise<void> {
    const mine = ++this.generation;
    this.reading = reading;
    this.report = null;
    this.overlaps = [];
    this.error = null;
    this.progress = { done: 0, total: 0 };
    try {
      const onProgress = (done: number, total: number) => {
        if (mine === this.generation) this.progress = { done, total };
      };
      const report = await listening(onProgress, (tell) =>
        this.ask((api) => api.load({ ...reading, file: this.file }, tell)),
      );
      if (mine !== this.generation) return;
      this.report = report;
    } catch (error) {
      if (mine !== this.generation) return;
      if (!(error instanceof WorkerDied)) this.error = messageOf(error);
      else if (this.mayRestart(error.message)) await this.read(reading);
      else
        this.error = `Reading ${this.file.name} failed: ${error.message}. Remove the file and drop it again; split it where it is very large.`;
    } finally {
      if (mine === this.generation) this.progress = null;
    }
  }

  /** Answers, or throws WorkerDied where the worker ends first. */
  private ask<T>(question: (api: WorkerHandle<RowFileApi>['api']) => Promise<T>): Promise<T> {
    const { handle, died } = this.worker();
    return Promise.race([question(handle.api as unknown as WorkerHandle<RowFileApi>['api']), died]);
  }

  private mayRestart(message: string): boolean {
    if (this.restarts > 0) return false;
    this.restarts++;
    this.notice = `The worker that holds this file ended (${message}). It was started again and the file is read anew.`;
    return true;
  }

  private worker(): Living {
    if (this.living) return this.living;
    let reject!: (error: Error) => void;
    const died = new Promise<never>((_, no) => (reject = no));
    died.catch(() => undefined);
    const onCrash = (message: string) => {
      if (this.living !== living) return;
      this.living = null;
      // After an error that nothing caught nobody knows what state it is in.
      living.handle.terminate();
      reject(new WorkerDied(message));
      // While it is being read, read() sees to it.
      if (this.progress === null) this.revive(message);
    };
    const living: Living = {
      handle: this.role === 'train' ? startDataset(onCrash) : startEvaluation(this.name, onCrash),
      died,
    };
    this.living = living;
    return living;
  }

  private revive(message: string): void {
    const { reading } = this;
    if (!reading) return;
    if (!this.mayRestart(message)) {
      this.report = null;
      this.error = `The worker that holds ${this.file.name} ended again: ${message}. Remove the file and drop it again.`;
      this.onDeath(message, null);
      return;
    }
    this.rereading = this.read(reading);
    void this.rereading.then(() => this.onReread());
    this.onDeath(message, this.reread());
  }
}
