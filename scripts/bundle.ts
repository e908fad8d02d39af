/**
 * `npm run bundle -- --model FOLDER|FILE.gguf --recipe recipe.json [--lesson lesson.md] --out class.finetab`:
 * a model as the page would store it, with recipe, data and lesson, as one file, without a browser.
 *   --model M      a hub-layout folder, or a .gguf
 *   --recipe R     its train_file and validation_files, relative to it, go into the bundle
 *   --lesson L     Markdown that the page shows beside the bundle
 *   --title T      of the bundle; the file's name where it is absent
 *   --name N       of the model; the folder's or the file's where it is absent
 *   --out F        the file that is written
 */
import { parseArgs } from 'node:util';
import { makeBundle } from './lib/makeBundle.ts';

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      model: { type: 'string' },
      recipe: { type: 'string' },
      lesson: { type: 'string' },
      title: { type: 'string' },
      name: { type: 'string' },
      out: { type: 'string' },
    },
  });
  const { model, recipe, out } = values;
  if (!model || !recipe || !out) {
    console.error(
      'usage: npm run bundle -- --model FOLDER|FILE.gguf --recipe recipe.json [--lesson lesson.md] --out class.finetab',
    );
    return 2;
  }
  const { bytes, parts, modelName } = await makeBundle({ ...values, model, recipe, out });
  console.log(
    `${out}: ${(bytes / 2 ** 20).toFixed(1)} MiB, ${parts} parts, each with its SHA-256; ${modelName}`,
  );
  return 0;
}
