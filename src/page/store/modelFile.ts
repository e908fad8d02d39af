/** A stored model as a file of its own: a bundle without data and lesson. */
import { fileStem } from '../../data/files/fileNames.ts';
import type { BundleExtras, ModelSummary } from '../../worker/import/importProtocol.ts';

/** @returns what a bundle of the model alone has beside it, and the file's name */
export function modelFile({ name, quantization }: Pick<ModelSummary, 'name' | 'quantization'>): {
  extras: BundleExtras;
  fileName: string;
} {
  return {
    extras: { title: name, recipe: JSON.stringify({ model: name, quantization }), data: [], lesson: null },
    fileName: `${fileStem(name, 'model')}.finetab`,
  };
}
