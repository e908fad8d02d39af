/** The one IndexedDB database, versioned, through idb. */
import { openDB, unwrap, type DBSchema, type IDBPDatabase, type OpenDBCallbacks } from 'idb';
import { messageOf, UserError } from '../lib/errors.ts';
import type { TensorInfo, TensorPart } from '../formats/tensors.ts';

export interface StoredChunk {
  part: TensorPart;
  byteOffset: number;
  byteLength: number;
  /** SHA-256, hex, checked on every load. */
  sha256: string;
}

export interface StoredTensor extends TensorInfo {
  chunks: StoredChunk[];
}

/**
 * A model as stored. It counts as whole only once `complete` is set, which is the last write of an import.
 */
export interface ModelManifest {
  id: string;
  name: string;
  quantization: 'nf4' | 'none' | 'gguf';
  /** Commit of the Hub's repository `name`, where the model came from there. */
  revision?: string;
  complete: boolean;
  /** ISO 8601. */
  importedAt: string;
  config: Record<string, unknown>;
  /** Tokenizer and template files by name. */
  texts: Record<string, string>;
  /**
   * Source files. sha256 is the whole file's where the Hub gives it, else that of sixteen samples spread over
   * the file; together with the size it identifies a file without reading it a second time.
   */
  files: { path: string; size: number; sha256: string }[];
  tensors: StoredTensor[];
  /** Files of the Hub whose listing named no hash; absent where there are none. */
  unverified?: string[];
  /** Tensors of the checkpoint that the architecture does not use. */
  unusedTensors: string[];
  storedBytes: number;
}

export type RunState = 'running' | 'finished' | 'stopped' | 'diverged' | 'failed';

/** A run as the list of runs shows it; its large parts are stored separately. */
export interface RunRecord {
  id: string;
  /** ISO 8601. */
  startedAt: string;
  /** A run whose tab was closed stays 'running'. */
  state: RunState;
  /** Why it failed or diverged. */
  message: string | null;
  /** Given by the person; empty at first. */
  name: string;
  notes: string;
  modelId: string;
  modelName: string;
  trainFile: string;
  /** SHA-256 of the training files; absent in runs of earlier versions. */
  trainHashes?: readonly string[];
  /** Of the model's stored weights, in a run that came as a file: its model may have another id here. */
  weightsSha256?: string;
  /** SHA-256 of what its parts hold, by part; absent in runs of earlier versions. */
  partHashes?: Partial<Record<RunPart, string>>;
  /** Of the adapter. */
  adapterPieces?: InPieces;
  /** A `Recipe` with every default filled in; this room does not know its type. */
  recipe: unknown;
  tokensPerMicroBatch: number;
  step: number;
  totalSteps: number;
  /** Step of the adapter that is kept; null where none is. */
  adapterStep: number | null;
  seconds: number;
  /** The adapter of the GPU in words. */
  device: string;
  /** Name of the LoRA adapter that it went on from; null: from the start. */
  startedFrom: string | null;
  /** By curve: 'training' and each validation set. */
  losses: Record<string, { start: number; best: number; end: number }>;
  /** Of the kept adapter. */
  adapterBytes: number;
  /** The kernels that it runs on, as src/tuning reads and writes them; absent where TensorFlow.js runs. */
  kernels?: unknown;
}

/**
 * Big parts of a run, each under [run, part]: adapter (tensors by name), lines of metrics.jsonl, votes,
 * report; state, what another machine goes on with.
 */
export type RunPart = 'adapter' | 'lines' | 'votes' | 'report' | 'state';

/** Answers and metrics of one evaluation of one validation set. */
export interface StoredEvaluation {
  runId: string;
  name: string;
  step: number;
  result: unknown;
}

/** Where the arrays of a large record lie: a set of pieces that were written at once (pieces.ts). */
export interface InPieces {
  set: number;
  count: number;
}

export interface StoredCheckpoint {
  id: string;
  runId: string;
  /** Without its arrays where these lie in `pieces`. */
  data: unknown;
  /** Of the whole; absent in runs of earlier versions. */
  hash?: string;
  pieces?: InPieces;
}

interface Schema extends DBSchema {
  models: { key: string; value: ModelManifest };
  chunks: { key: [string, string, number]; value: Uint8Array };
  runs: { key: string; value: RunRecord };
  parts: { key: [string, RunPart]; value: unknown };
  evaluations: { key: [string, string, number]; value: StoredEvaluation };
  checkpoints: {
    key: string;
    value: StoredCheckpoint;
    indexes: { runId: string };
  };
  pieces: { key: [owner: string, set: number, index: number]; value: Uint8Array };
  tuning: { key: [kernels: string, adapter: string, shapes: string]; value: unknown };
}

export type Database = IDBPDatabase<Schema>;
const NAME = 'finetab';
const VERSION = 4;

let inMemory: ((cause: string) => Database) | null = null;

/** @param make a database in memory, which takes the place of IndexedDB where the browser keeps no data */
export function useInMemory(make: typeof inMemory): void {
  inMemory = make;
}

/**
 * Opens the database, creating it or bringing it from any earlier version to this one.
 * @throws UserError where a newer version wrote it, or this browser keeps no data for the page and there is
 * no
 * memory in its place
 */
export async function openDatabase(name = NAME): Promise<Database> {
  try {
    return withWords(await openedDatabase(name));
  } catch (error) {
    if (!isBlocked(error)) throw unopened(error);
    // Whoever opens it first may be about to say what takes its place.
    await Promise.resolve();
    if (!inMemory) throw unopened(error);
    return inMemory(messageOf(error));
  }
}

/**
 * A browser closes the database when a person clears the site's data, and refuses every transaction from
 * then on:
 * the error says so.
 */
function withWords(database: Database): Database {
  const raw = unwrap(database);
  const begin = raw.transaction.bind(raw);
  raw.transaction = (...args) => {
    try {
      return begin(...args);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'InvalidStateError')) throw error;
      throw new UserError(
        'The browser closed what it keeps for this page: its site data was cleared, or a newer version of the page was opened. A run that is going on ends here and can be downloaded, but nothing more is kept; then reload the page.',
      );
    }
  };
  return database;
}

/** Whether the browser keeps no data for the page, or cannot. */
function isBlocked(error: unknown): boolean {
  const name = error instanceof Error ? error.name : '';
  return ['SecurityError', 'InvalidStateError', 'UnknownError', 'ReferenceError', 'TypeError'].includes(name);
}

/** What to do where the database cannot be opened. */
function unopened(error: unknown): unknown {
  const name = error instanceof Error ? error.name : '';
  if (name === 'VersionError')
    return new UserError(
      'What this browser keeps was written by a newer version of Finetab. Close all its tabs and open the page again, which then is the newer version.',
    );
  if (isBlocked(error))
    return new UserError(
      `This browser keeps no data for this page (${messageOf(error)}), so models and runs cannot be stored. Allow site data for this address, leave private browsing, or use another browser profile; then reload.`,
    );
  return error;
}

function openedDatabase(name: string): Promise<Database> {
  return openDB<Schema>(name, VERSION, {
    // A failure aborts the transaction, and with it the opening.
    // eslint-disable-next-line @typescript-eslint/no-misused-promises
    async upgrade(database, oldVersion, _newVersion, transaction) {
      if (oldVersion < 1) {
        database.createObjectStore('models', { keyPath: 'id' });
        database.createObjectStore('chunks');
        database.createObjectStore('runs', { keyPath: 'id' });
        database.createObjectStore('checkpoints', { keyPath: 'id' }).createIndex('runId', 'runId');
      }
      if (oldVersion < 2) {
        database.createObjectStore('parts');
        database.createObjectStore('evaluations', { keyPath: ['runId', 'name', 'step'] });
        if (oldVersion === 1) await fromVersion1(transaction);
      }
      if (oldVersion < 3) database.createObjectStore('tuning');
      if (oldVersion < 4) database.createObjectStore('pieces');
    },
    blocking(_current, _next, event) {
      // A newer version of the page in another tab waits to upgrade the database.
      (event.target as IDBDatabase).close();
    },
  });
}

type Upgrade = Parameters<NonNullable<OpenDBCallbacks<Schema>['upgrade']>>[3];

/** Version 1 kept a run's state and what a resume needs, under `data`. */
async function fromVersion1(transaction: Upgrade): Promise<void> {
  const runs = transaction.objectStore('runs');
  for (const old of (await runs.getAll()) as unknown as {
    id: string;
    startedAt: string;
    state: RunState;
    data: Partial<RunRecord>;
  }[]) {
    const { data, ...run } = old;
    await runs.put({ ...newRun(run.id), ...data, ...run });
  }
}

/** A run that has only begun. */
export function newRun(id: string): RunRecord {
  return {
    id,
    startedAt: id,
    state: 'running',
    message: null,
    name: '',
    notes: '',
    modelId: '',
    modelName: '',
    trainFile: '',
    recipe: null,
    tokensPerMicroBatch: 0,
    step: 0,
    totalSteps: 0,
    adapterStep: null,
    seconds: 0,
    device: '',
    startedFrom: null,
    losses: {},
    adapterBytes: 0,
  };
}

/**
 * Runs a write.
 * @param kept what is not lost, for the message
 * @throws UserError that says what to do where the disk is full
 */
export async function storing<T>(
  write: () => Promise<T>,
  kept = 'what was stored so far is kept and the import goes on from there',
): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'QuotaExceededError') {
      throw new UserError(
        `The browser's storage is full. Delete a stored model or a run, or free disk space; ${kept}.`,
      );
    }
    throw error;
  }
}
