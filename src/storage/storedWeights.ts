/** Reads the weights of stored models. Every chunk's checksum is verified when it is read. */
import { TableRows } from '../formats/tableRows.ts';
import type { TensorChunk, WeightSource } from '../formats/tensors.ts';
import { UserError } from '../lib/errors.ts';
import { inOrder } from '../lib/inOrder.ts';
import { sha256Hex } from '../lib/sha256.ts';
import type { Database, ModelManifest, StoredTensor } from './database.ts';
import { findModel } from './models.ts';

/** Chunks that are read and hashed ahead of the consumer. */
const READS_IN_FLIGHT = 3;

/** @returns the bytes of a chunk of a tensor; null where it is gone, or is not what was written */
export async function intactChunk(
  database: Database,
  id: string,
  { name, chunks }: StoredTensor,
  index: number,
): Promise<Uint8Array | null> {
  const bytes = await database.get('chunks', [id, name, index]);
  return bytes && (await sha256Hex(bytes)) === chunks[index]!.sha256 ? bytes : null;
}

/** Whether a chunk of a tensor is gone, or is not what was written. */
export async function isDamaged(database: Database, id: string, tensor: StoredTensor): Promise<boolean> {
  const read = inOrder(tensor.chunks.length, READS_IN_FLIGHT, (index) =>
    intactChunk(database, id, tensor, index),
  );
  for await (const bytes of read) if (!bytes) return true;
  return false;
}

/**
 * Reads everything that is stored of a model.
 * @param onProgress receives the bytes read so far, and of all
 * @returns names of the tensors of which a piece is gone or is not what was written
 * @throws UserError where the model is not stored
 */
export async function damagedTensors(
  database: Database,
  id: string,
  onProgress: (done: number, total: number) => void,
): Promise<string[]> {
  const manifest = await findModel(database, id);
  if (!manifest) throw new UserError('This model is not stored in this browser any more.');
  const damaged: string[] = [];
  let done = 0;
  for (const tensor of manifest.tensors) {
    onProgress(done, manifest.storedBytes);
    if (await isDamaged(database, id, tensor)) damaged.push(tensor.name);
    done += tensor.chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }
  return damaged;
}

/**
 * The weights of a complete model.
 * @throws UserError where it is missing or unfinished, and while streaming where a chunk is damaged
 */
export async function openModel(
  database: Database,
  id: string,
): Promise<{ manifest: ModelManifest; weights: WeightSource }> {
  const manifest = await findModel(database, id);
  if (!manifest)
    throw new UserError('This model is not stored in this browser any more. Drop its files again.');
  if (!manifest.complete)
    throw new UserError(
      `The import of ${manifest.name} did not finish. Drop its files again: it goes on where it stopped.`,
    );
  const tensors = new Map(manifest.tensors.map((tensor) => [tensor.name, tensor]));
  /** @throws UserError where the chunk is gone or damaged */
  const chunkOf = async (tensor: StoredTensor, index: number): Promise<TensorChunk> => {
    const { part, byteOffset } = tensor.chunks[index]!;
    const bytes = await intactChunk(database, id, tensor, index);
    if (!bytes)
      throw new UserError(
        `The stored copy of ${manifest.name} is damaged (${tensor.name}). Drop or download its files again: what is damaged is then replaced.`,
      );
    return { part, byteOffset, bytes };
  };
  const tables = new Map<string, TableRows>();
  const weights: WeightSource = {
    config: manifest.config,
    tensors,
    async *stream(name) {
      const tensor = tensors.get(name);
      if (!tensor)
        throw new UserError(
          `The stored model ${manifest.name} has no tensor ${name}. Delete it and import it again.`,
        );
      yield* inOrder(tensor.chunks.length, READS_IN_FLIGHT, (index) => chunkOf(tensor, index));
    },
    readRows(name, rows) {
      const tensor = tensors.get(name)!;
      const table =
        tables.get(name) ??
        new TableRows(
          tensor,
          tensor.chunks.map(({ byteOffset, byteLength }, index) => ({
            byteOffset,
            byteLength,
            read: async () => (await chunkOf(tensor, index)).bytes,
          })),
        );
      tables.set(name, table);
      return table.read(rows);
    },
  };
  return { manifest, weights };
}
