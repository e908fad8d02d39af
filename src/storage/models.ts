/** Models in the database: written tensor by tensor so that a crash leaves a resumable import, read chunk by chunk with their checksums. */
import { sha256Hex } from '../lib/sha256.ts';
import { UserError } from '../lib/errors.ts';
import type { TensorChunk, TensorInfo, WeightSource } from '../formats/tensors.ts';
import { storing, type Database, type ModelManifest, type StoredChunk } from './database.ts';

export interface ModelSummary {
  id: string;
  name: string;
  quantization: 'nf4' | 'none';
  complete: boolean;
  storedBytes: number;
  modelType: string;
  importedAt: string;
}

export async function listModels(database: Database): Promise<ModelSummary[]> {
  const manifests = await database.getAll('models');
  return manifests.map(({ id, name, quantization, complete, storedBytes, config, importedAt }) => ({
    id,
    name,
    quantization,
    complete,
    storedBytes,
    modelType: String(config.model_type),
    importedAt,
  }));
}

export function findModel(database: Database, id: string): Promise<ModelManifest | undefined> {
  return database.get('models', id);
}

/** Starts an import, or takes up an unfinished one of the same files. */
export async function beginModel(database: Database, manifest: ModelManifest): Promise<ModelManifest> {
  const before = await findModel(database, manifest.id);
  if (before) return before;
  await storing(() => database.put('models', manifest));
  return manifest;
}

/** Stores one tensor's chunks and then records it in the manifest: a tensor is either wholly there or not at all. */
export async function putTensor(database: Database, manifest: ModelManifest, info: TensorInfo, chunks: AsyncIterable<TensorChunk>): Promise<void> {
  const stored: StoredChunk[] = [];
  for await (const { part, byteOffset, bytes } of chunks) {
    const sha256 = await sha256Hex(bytes);
    await storing(() => database.put('chunks', bytes, [manifest.id, info.name, stored.length]));
    stored.push({ part, byteOffset, byteLength: bytes.byteLength, sha256 });
  }
  manifest.tensors.push({ ...info, chunks: stored });
  manifest.storedBytes += stored.reduce((sum, { byteLength }) => sum + byteLength, 0);
  await storing(() => database.put('models', manifest));
}

/** The last write of an import. */
export async function completeModel(database: Database, manifest: ModelManifest): Promise<void> {
  manifest.complete = true;
  await storing(() => database.put('models', manifest));
}

export async function deleteModel(database: Database, id: string): Promise<void> {
  const transaction = database.transaction(['models', 'chunks'], 'readwrite');
  await transaction.objectStore('models').delete(id);
  await transaction.objectStore('chunks').delete(IDBKeyRange.bound([id], [id, []]));
  await transaction.done;
}

/** A whole model's weights. @throws UserError where it is missing or unfinished, and while streaming where a chunk is damaged */
export async function openModel(database: Database, id: string): Promise<{ manifest: ModelManifest; weights: WeightSource }> {
  const manifest = await findModel(database, id);
  if (!manifest) throw new UserError('This model is not stored in this browser any more. Drop its files again.');
  if (!manifest.complete) throw new UserError(`The import of ${manifest.name} did not finish. Drop its files again: it goes on where it stopped.`);
  const tensors = new Map(manifest.tensors.map((tensor) => [tensor.name, tensor]));
  const weights: WeightSource = {
    config: manifest.config,
    tensors,
    async *stream(name) {
      const tensor = tensors.get(name);
      if (!tensor) throw new UserError(`The stored model ${manifest.name} has no tensor ${name}. Delete it and import it again.`);
      for (const [index, { part, byteOffset, sha256 }] of tensor.chunks.entries()) {
        const bytes = await database.get('chunks', [id, name, index]);
        if (!bytes || (await sha256Hex(bytes)) !== sha256) throw new UserError(`The stored copy of ${manifest.name} is damaged (${name}). Delete it and import it again.`);
        yield { part, byteOffset, bytes };
      }
    },
  };
  return { manifest, weights };
}
