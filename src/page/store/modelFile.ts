/** A stored model as a file of its own: a bundle without data and lesson. */
import type { BundleExtras, ModelSummary } from '../../worker/import/importProtocol.ts';

/** @returns what a bundle of the model alone has beside it, and the file's name */
export function modelFile({ name, quantization }: Pick<ModelSummary, 'name' | 'quantization'>): {
  extras: BundleExtras;
  fileName: string;
} {
  const stem = name.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[-.]+|-+$/g, '');
  return {
    extras: { title: name, recipe: JSON.stringify({ model: name, quantization }), data: [], lesson: null },
    fileName: `${stem === '' ? 'model' : stem.slice(0, 80)}.finetab`,
  };
}
