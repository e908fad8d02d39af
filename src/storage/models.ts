/**
 * Models in the database. They are written tensor by tensor, so that an import can be resumed after a crash.
 */
import { sha256Hex } from '../lib/sha256.ts';
import { UserError } from '../lib/errors.ts';
import type { TensorChunk, TensorInfo } from '../formats/tensors.ts';
import {
  storing,
  type Database,
  type ModelManifest,
  type StoredChunk,
  type StoredTensor,
} from './database.ts';
import { handledElsewhere } from '../lib/promises.ts';

export interface ModelSummary {
  id: string;
  name: string;
  quantization: 'nf4' | 'none' | 'gguf';
  complete: boolean;
  storedBytes: number;
  modelType: string;
  importedAt: string;
  /** As its card names it; null where it is not known. */
  licence: string | null;
}

export async function listModels(database: Database): Promise<ModelSummary[]> {
  const manifests = await database.getAll('models');
  return manifests.map(({ id, name, quantization, complete, storedBytes, config, importedAt, licence }) => ({
    id,
    name,
    quantization,
    complete,
    storedBytes,
    modelType: String(config.model_type),
    importedAt,
    licence: licence ?? null,
  }));
}

/** @returns the manifest; that of an unfinished import lists the tensors stored so far */
export async function findModel(database: Database, id: string): Promise<ModelManifest | undefined> {
  const manifest = await database.get('models', id);
  if (!manifest || manifest.complete) return manifest;
  const known = new Set(manifest.tensors.map(({ name }) => name));
  for (const key of await recordKeys(database, id)) {
    const record = await database.get('chunks', key);
    if (record && !known.has(key[1]))
      addTensor(manifest, JSON.parse(new TextDecoder().decode(record)) as StoredTensor);
  }
  return manifest;
}

/**
 * Index under which an unfinished import keeps a tensor's record beside its chunks: the manifest, with its
 * tokenizer of megabytes, is then written only twice.
 */
const RECORD = -1;

/** Index under which an unfinished import keeps how far a file was downloaded and hashed. */
const DOWNLOAD = -2;

export async function putDownload(
  database: Database,
  id: string,
  file: string,
  state: string,
): Promise<void> {
  await storing(() => database.put('chunks', new TextEncoder().encode(state), [id, file, DOWNLOAD]));
}

export async function findDownload(database: Database, id: string, file: string): Promise<string | null> {
  const state = await database.get('chunks', [id, file, DOWNLOAD]);
  return state ? new TextDecoder().decode(state) : null;
}

/** Removes the record beside a tensor's chunks, which a complete model does not need. */
export async function forgetRecord(database: Database, id: string, tensor: string): Promise<void> {
  await database.delete('chunks', [id, tensor, RECORD]);
}

async function recordKeys(database: Database, id: string): Promise<[string, string, number][]> {
  return (await database.getAllKeys('chunks', allOf(id))).filter(([, , at]) => at === RECORD);
}

function allOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id], [id, []]);
}

/** Adds a stored tensor to the manifest. */
export function addTensor(manifest: ModelManifest, tensor: StoredTensor): void {
  manifest.tensors.push(tensor);
  manifest.storedBytes += tensor.chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** Starts an import, or continues an unfinished one of the same files. */
export async function beginModel(database: Database, manifest: ModelManifest): Promise<ModelManifest> {
  const before = await findModel(database, manifest.id);
  if (before) {
    // A card that comes later than the model is read too.
    if (before.licence === undefined && manifest.licence !== undefined) {
      before.licence = manifest.licence;
      await storing(() => database.put('models', before));
    }
    return before;
  }
  await storing(() => database.put('models', manifest));
  return manifest;
}

/** Chunks of one tensor that may be hashed and written while the next is made. */
const WRITES_IN_FLIGHT = 2;

/**
 * Stores one tensor's chunks and then its record, so that a tensor is either complete or absent. Any thread
 * may call it; the importer then adds the tensor to the manifest.
 */
export async function putTensor(
  database: Database,
  modelId: string,
  info: TensorInfo,
  chunks: AsyncIterable<TensorChunk>,
): Promise<StoredTensor> {
  const stored: StoredChunk[] = [];
  const write = async ({ part, byteOffset, bytes }: TensorChunk, index: number): Promise<void> => {
    const written = storing(() => database.put('chunks', bytes, [modelId, info.name, index]));
    const [sha256] = await Promise.all([sha256Hex(bytes), written]);
    stored[index] = { part, byteOffset, byteLength: bytes.byteLength, sha256 };
  };
  const writes: Promise<void>[] = [];
  let count = 0;
  for await (const chunk of chunks) {
    const writing = write(chunk, count++);
    handledElsewhere(writing);
    writes.push(writing);
    if (writes.length > WRITES_IN_FLIGHT) await writes.shift();
  }
  await Promise.all(writes);
  const tensor: StoredTensor = { ...info, chunks: stored };
  await storing(() =>
    database.put('chunks', new TextEncoder().encode(JSON.stringify(tensor)), [modelId, info.name, RECORD]),
  );
  return tensor;
}

/** Marks an import as complete; the last write of an import. @param order of the tensors in the manifest */
export async function completeModel(
  database: Database,
  manifest: ModelManifest,
  order: readonly string[],
): Promise<void> {
  const place = new Map(order.map((name, i) => [name, i]));
  manifest.tensors.sort((a, b) => place.get(a.name)! - place.get(b.name)!);
  manifest.complete = true;
  await storing(async () => {
    const transaction = database.transaction(['models', 'chunks'], 'readwrite', { durability: 'strict' });
    const done = transaction.done;
    handledElsewhere(done);
    const [models, chunks] = [transaction.objectStore('models'), transaction.objectStore('chunks')];
    const [known, keys] = await Promise.all([
      models.getKey(manifest.id),
      chunks.getAllKeys(allOf(manifest.id)),
    ]);
    const there = new Set(keys.map(([, name, index]) => `${name} ${index}`));
    const isWhole = manifest.tensors.every(({ name, chunks: all }) =>
      all.every((_, index) => there.has(`${name} ${index}`)),
    );
    if (known === undefined || !isWhole) {
      transaction.abort();
      throw new UserError(
        `${manifest.name} was deleted, in another tab or by the browser, while it was imported. Import it again.`,
      );
    }
    await Promise.all([
      models.put(manifest),
      ...keys.filter(([, , index]) => index < 0).map((key) => chunks.delete(key)),
      done,
    ]);
  });
}

export async function deleteModel(database: Database, id: string): Promise<void> {
  const transaction = database.transaction(['models', 'chunks'], 'readwrite');
  await transaction.objectStore('models').delete(id);
  await transaction.objectStore('chunks').delete(allOf(id));
  await transaction.done;
}

/** Of the weights as they are stored: over the hashes of their pieces, tensor by tensor. */
export function storedSha256({ tensors }: ModelManifest): Promise<string> {
  const pieces = tensors.flatMap(({ name, chunks }) =>
    chunks.map(({ part, byteOffset, sha256 }) => `${name} ${part} ${byteOffset} ${sha256}\n`),
  );
  return sha256Hex(new TextEncoder().encode(pieces.join('')));
}
