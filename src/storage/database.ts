/** The one IndexedDB database, versioned, through idb. */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
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

/** A model as stored. It counts as whole only once `complete` is set, which is the last write of an import. */
export interface ModelManifest {
  id: string;
  name: string;
  quantization: 'nf4' | 'none';
  /** Commit of the Hub's repository `name`, where the model came from there. */
  revision?: string;
  complete: boolean;
  /** ISO 8601. */
  importedAt: string;
  config: Record<string, unknown>;
  /** Tokenizer and template files by name. */
  texts: Record<string, string>;
  /** Source files; sha256 is the whole file's where the Hub tells it, else that of sixteen samples spread over it: with the size it tells files apart without a second reading. */
  files: { path: string; size: number; sha256: string }[];
  tensors: StoredTensor[];
  /** Tensors of the checkpoint that the architecture does not use. */
  unusedTensors: string[];
  storedBytes: number;
}

/** Anything of a run that structured clone carries; its shape is the trainer's business. */
export interface RunRecord {
  id: string;
  /** ISO 8601. */
  startedAt: string;
  state: 'running' | 'finished' | 'stopped' | 'failed';
  data: unknown;
}

interface Schema extends DBSchema {
  models: { key: string; value: ModelManifest };
  chunks: { key: [string, string, number]; value: Uint8Array };
  runs: { key: string; value: RunRecord };
  checkpoints: { key: string; value: { id: string; runId: string; data: unknown }; indexes: { runId: string } };
}

export type Database = IDBPDatabase<Schema>;

const NAME = 'finetab';
const VERSION = 1;

/** Opens the database, creating or upgrading it. */
export function openDatabase(name = NAME): Promise<Database> {
  return openDB<Schema>(name, VERSION, {
    upgrade(database) {
      database.createObjectStore('models', { keyPath: 'id' });
      database.createObjectStore('chunks');
      database.createObjectStore('runs', { keyPath: 'id' });
      database.createObjectStore('checkpoints', { keyPath: 'id' }).createIndex('runId', 'runId');
    },
    blocking(_current, _next, event) {
      // A newer version of the page in another tab wants the database: let it have it.
      (event.target as IDBDatabase).close();
    },
  });
}

/** Runs a write; a full disk becomes an error that says what to do. */
export async function storing<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'QuotaExceededError') {
      throw new UserError("The browser's storage is full. Delete a stored model, or free disk space; what was stored so far is kept and the import goes on from there.");
    }
    throw error;
  }
}
