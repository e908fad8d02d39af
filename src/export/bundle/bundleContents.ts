/** A stored model with its recipe, data and lesson, as the contents of a `.finetab` bundle. */
import type { BundleContents } from '../../formats/bundle/writeBundle.ts';
import { UserError } from '../../lib/errors.ts';
import { sha256Hex } from '../../lib/sha256.ts';
import type { Database } from '../../storage/database.ts';
import { openModel } from '../../storage/storedWeights.ts';

/** What goes with the model. */
export type BundleExtras = Pick<BundleContents, 'title' | 'recipe' | 'data' | 'lesson'>;

/** @throws UserError where the model is missing or unfinished; a damaged chunk is refused when it is read */
export async function bundleContents(
  database: Database,
  modelId: string,
  extras: BundleExtras,
): Promise<BundleContents> {
  const { manifest } = await openModel(database, modelId);
  const tensors = new Map(manifest.tensors.map((tensor) => [tensor.name, tensor]));
  return {
    ...extras,
    model: manifest,
    async readChunk(name, index) {
      const bytes = await database.get('chunks', [modelId, name, index]);
      if (!bytes || (await sha256Hex(bytes)) !== tensors.get(name)!.chunks[index].sha256)
        throw new UserError(
          `The stored copy of ${manifest.name} is damaged (${name}). Drop or download its files again, then make the bundle.`,
        );
      return bytes;
    },
  };
}
