/** A stored model with its recipe, data and lesson, as the contents of a `.finetab` bundle. */
import type { BundleContents } from '../../formats/bundle/writeBundle.ts';
import { UserError } from '../../lib/errors.ts';
import type { Database } from '../../storage/database.ts';
import { intactChunk, openModel } from '../../storage/storedWeights.ts';

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
      const bytes = await intactChunk(database, modelId, tensors.get(name)!, index);
      if (!bytes)
        throw new UserError(
          `The stored copy of ${manifest.name} is damaged (${name}). Drop or download its files again, then make the bundle.`,
        );
      return bytes;
    },
  };
}
