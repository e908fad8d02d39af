/** A stored model whose files are dropped or downloaded again: what is damaged of it is written again. */
import type { SourceCheckpoint } from '../formats/checkpoint.ts';
import { UserError } from '../lib/errors.ts';
import type { Database, ModelManifest, StoredTensor } from '../storage/database.ts';
import { forgetRecord } from '../storage/models.ts';
import { isDamaged } from '../storage/storedWeights.ts';
import type { TensorLane } from './tensorLane.ts';

/**
 * Checks every stored chunk and stores damaged tensors again from the files at hand.
 * @returns the manifest, as it was
 * @throws UserError where the files give other bytes than those that were stored
 */
export async function repairModel(
  database: Database,
  manifest: ModelManifest,
  { tensors, weightFiles }: SourceCheckpoint,
  lane: TensorLane,
): Promise<ModelManifest> {
  // The manifest has the hash of every chunk: a download needs no other.
  for (const { download } of weightFiles) download?.readAlone();
  for (const tensor of manifest.tensors) {
    if (!(await isDamaged(database, manifest.id, tensor))) continue;
    const { chunks, ...info } = tensor;
    const again = await lane(manifest.id, tensors.get(tensor.name)!, info, () => undefined);
    await forgetRecord(database, manifest.id, tensor.name);
    if (!hasHashes(again, chunks))
      throw new UserError(
        `${manifest.name}: tensor ${tensor.name} was damaged in this browser, and these files hold another one. Delete the stored model and import it again.`,
      );
  }
  return manifest;
}

function hasHashes({ chunks }: StoredTensor, expected: StoredTensor['chunks']): boolean {
  return chunks.length === expected.length && chunks.every(({ sha256 }, i) => sha256 === expected[i].sha256);
}
