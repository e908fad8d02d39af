/** The one IndexedDB database, versioned, through idb. */
import type { DBSchema, IDBPDatabase } from 'idb';
import { UserError } from '../lib/errors.ts';
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
  /** As its card names it; absent where it was not known. */
  licence?: string;
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
  /** Given by the person; absent where there are none. */
  tags?: readonly string[];
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
  /** Earlier steps whose adapters are kept too; absent where there are none. */
  keptSteps?: readonly number[];
  /** The kernels that it runs on, as src/tuning reads and writes them; absent where TensorFlow.js runs. */
  kernels?: unknown;
  /** Whether its output head lay in 8 bits; absent in runs of earlier versions. */
  headInQ8_0?: boolean;
}

/**
 * Big parts of a run, each under [run, part]: adapter (tensors by name), lines of metrics.jsonl, votes,
 * report; state, what another machine goes on with; sampled, answers of steps of grpo; steps, adapters of
 * earlier steps.
 */
export type RunPart = 'adapter' | 'lines' | 'votes' | 'report' | 'state' | 'sampled' | 'steps';

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

/** A data file that the page has again after a reload. */
export interface KeptFile {
  /** Its bytes, where the person allows a copy. */
  copy?: Blob;
  /** A FileSystemFileHandle, where it was dropped from the disk. */
  handle?: unknown;
}

export interface Schema extends DBSchema {
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
  files: { key: string; value: KeptFile };
  tuning: { key: [kernels: string, adapter: string, shapes: string]; value: unknown };
}

export type Database = IDBPDatabase<Schema>;
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
