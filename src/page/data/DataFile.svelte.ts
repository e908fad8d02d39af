/**
 * One data file on the page, or several that are read as one: the worker that reads them, and what it found.
 * A worker that dies is started again once, and reads them again.
 */
import { t } from '../language/messages.svelte.ts';
import { startDataset, startEvaluation, withListener, type Remote } from '../../worker/client.ts';
import { SupervisedWorker, WorkerDied } from '../../worker/supervisedWorker.ts';
import type {
  DataRequest,
  DatasetApi,
  FileReport,
  PackedPreview,
  PackedRequest,
  RowFileApi,
  RowPlace,
  RowToken,
} from '../../worker/dataset/datasetProtocol.ts';
import type { EvaluationApi } from '../../worker/evaluation/evaluationProtocol.ts';
import type { MaskReasons } from '../../data/rows/encoding/maskReasons.ts';
import type { Fingerprints, Overlap } from '../../data/rows/rowStatistics.ts';
import type { Selection } from '../../data/rows/rowSelection.ts';
import { reported } from '../errors/reported.ts';
import { stoppedAt, type ReadingProgress } from './readingProgress.ts';
import { LossRanking } from './doctor/LossRanking.svelte.ts';

/** How files are read: everything but the files themselves, and which of their rows. */
export type Reading = Omit<DataRequest, 'parts' | 'selection'> & { selection: Omit<Selection, 'side'> };

/** Where a row stands in one of the files. */
export type PlaceInPart = Omit<RowPlace, 'part'>;

export type Role = 'train' | 'validation';

/** A file that a person dropped. */
export interface Part {
  file: File;
  /** Its name; with its folders where another file has the same one. */
  name: string;
  /** Whether rows of it were put right or taken out on the page. */
  isMended?: boolean;
}

export class DataFile {
  /** What it is called on the page: the names of its files. */
  readonly title: string;
  report = $state.raw<FileReport | null>(null);
  progress = $state<ReadingProgress | null>(null);
  error = $state<string | null>(null);
  /** Set where the person stopped its reading: how far it came. */
  stopped = $state<string | null>(null);
  readonly ranking = new LossRanking(this);
  /** Whether a preview of its rows starts unfolded. */
  previewOpen = false;
  /** Lists of found rows that are unfolded, by their names: they stay so when the file is read again. */
  readonly unfolded: Record<string, boolean> = {};
  /** Set where its worker died and was started again. */
  notice = $state<string | null>(null);
  /** Rows that are in another file too: leakage, where one of the two is the training file. */
  overlaps = $state.raw<{ file: string; overlap: Overlap }[]>([]);
  /** Is called when a new worker, in place of one that died, has read the file. */
  onReread: () => void = () => undefined;
  /**
   * Is called when the worker dies while the file lies ready.
   * @param restarted whether a new worker has read the file; null where none is started
   */
  onDeath: (message: string, restarted: Promise<boolean> | null) => void = () => undefined;
  private readonly worker: SupervisedWorker<DatasetApi> | SupervisedWorker<EvaluationApi>;
  /** Grows with every reading: an answer to an earlier one is dropped. */
  private generation = 0;
  private reading: Reading | null = null;
  private restarts = 0;
  private rereading: Promise<void> = Promise.resolve();

  constructor(
    /** Read as one. */
    readonly parts: readonly Part[],
    readonly role: Role,
    /** Of a validation set: its name in metrics. */
    readonly name: string,
    /** Which of their rows: `heldOut` is the validation set that is taken out of the training files. */
    readonly side: Selection['side'] = role === 'train' ? 'train' : 'both',
  ) {
    const names = parts.map((part) => part.name).join(' + ');
    this.title = side === 'heldOut' ? t.data.heldOutOf(names) : names;
    const onDeath = (message: string) => this.died(message);
    this.worker =
      role === 'train'
        ? new SupervisedWorker<DatasetApi>('dataset', startDataset, onDeath)
        : new SupervisedWorker<EvaluationApi>(
            'evaluation',
            (onCrash) => startEvaluation(name, onCrash),
            onDeath,
          );
  }

  /** Reads the file with a model's tokenizer; the answer to an earlier call is dropped. */
  async load(reading: Reading): Promise<void> {
    this.restarts = 0;
    this.notice = null;
    await this.read(reading);
  }

  /** The micro-batch that a row is in. */
  packed(request: PackedRequest): Promise<PackedPreview | null> {
    return this.ask((api) => api.packed(request));
  }

  /** A row of a file as it stands there. */
  rowText(part: Part, place: PlaceInPart): Promise<string> {
    return this.ask((api) => api.rowText({ ...place, part: this.parts.indexOf(part) }));
  }

  /** The file with another row in its place; null takes it out. */
  async mended(part: Part, place: PlaceInPart, text: string | null): Promise<File> {
    const blob = await this.ask((api) => api.mendRow({ ...place, part: this.parts.indexOf(part) }, text));
    return new File([blob], part.file.name, { type: part.file.type });
  }

  rowTokens(row: number): Promise<RowToken[]> {
    return this.ask((api) => api.rowTokens(row));
  }

  maskReasons(row: number): Promise<MaskReasons> {
    return this.ask((api) => api.maskReasons(row));
  }

  /** All rows as JSON lines of ids and labels. */
  documentLines(): Promise<Blob> {
    return this.ask((api) => api.documentLines());
  }

  fingerprints(): Promise<Fingerprints> {
    return this.ask((api) => api.fingerprints());
  }

  overlap(other: Fingerprints): Promise<Overlap> {
    return this.ask((api) => api.overlap(other));
  }

  /** Of the training file. @throws WorkerDied where its worker ends first */
  askDataset<R>(question: (api: Remote<DatasetApi>) => Promise<R>): Promise<R> {
    return (this.worker as SupervisedWorker<DatasetApi>).ask(question);
  }

  /** Of a validation file. @throws WorkerDied where its worker ends first */
  askEvaluation<R>(question: (api: Remote<EvaluationApi>) => Promise<R>): Promise<R> {
    return (this.worker as SupervisedWorker<EvaluationApi>).ask(question);
  }

  /** Waits until a worker in place of one that died has read the file. @returns whether there is one */
  async reread(): Promise<boolean> {
    await this.rereading;
    return this.report !== null;
  }

  dispose(): void {
    this.generation++;
    this.progress = null;
    this.worker.end();
  }

  /** Ends the reading that goes on; the file lies unread until `load` is called again. */
  stop(): void {
    if (!this.progress) return;
    const reached = stoppedAt(this.progress);
    this.dispose();
    this.stopped = t.data.readingStopped(this.title, reached);
  }

  private async read(reading: Reading): Promise<void> {
    const mine = ++this.generation;
    if (this.reading?.modelId !== reading.modelId) this.ranking.clear();
    this.reading = reading;
    this.report = null;
    this.overlaps = [];
    this.error = this.stopped = null;
    this.progress = { done: 0, total: 0 };
    try {
      const onProgress = (done: number, total: number) => {
        if (mine === this.generation) this.progress = { done, total };
      };
      const report = await withListener(onProgress, (send) =>
        this.ask((api) =>
          api.load(
            {
              ...reading,
              settings: this.settingsOf(reading),
              parts: this.parts.map(({ name, file }) => ({ name, blob: file })),
              selection: { ...reading.selection, side: this.side },
            },
            send,
          ),
        ),
      );
      if (mine === this.generation) this.report = report;
    } catch (error) {
      await this.readingFailed(error, mine, reading);
    } finally {
      if (mine === this.generation) this.progress = null;
    }
  }

  /** In a training file a preference method refuses what is no preference. */
  private settingsOf({ settings }: Reading): Reading['settings'] {
    const { preferences } = settings;
    return typeof preferences === 'object'
      ? { ...settings, preferences: { ...preferences, only: this.role === 'train' } }
      : settings;
  }

  private async readingFailed(error: unknown, mine: number, reading: Reading): Promise<void> {
    if (!(error instanceof WorkerDied)) {
      const message = reported(error, `reading ${this.title}`);
      if (mine === this.generation) this.error = message;
      return;
    }
    // The death itself is in the log already.
    if (mine !== this.generation) return;
    if (this.mayRestart(error.reason)) await this.read(reading);
    else this.error = t.data.readingFailed(this.title, error.reason);
  }

  private ask<R>(question: (api: Remote<RowFileApi>) => Promise<R>): Promise<R> {
    return (this.worker as unknown as SupervisedWorker<RowFileApi>).ask(question);
  }

  private mayRestart(message: string): boolean {
    if (this.restarts > 0) return false;
    this.restarts++;
    this.notice = t.data.workerRestarted(message);
    return true;
  }

  private died(message: string): void {
    const { reading } = this;
    // While the file is being read, read() sees to it.
    if (this.progress !== null || !reading) return;
    if (!this.mayRestart(message)) {
      this.report = null;
      this.error = t.data.workerEndedAgain(this.title, message);
      this.onDeath(message, null);
      return;
    }
    this.rereading = this.read(reading);
    void this.rereading.then(() => this.onReread());
    this.onDeath(message, this.reread());
  }
}
