/**
 * `npm run inspect -- FILE… --model MODEL [--recipe R] [--rows]`: what the page understands of data files,
 * as JSON on standard output, without training. It needs no browser, no GPU and no weights: only the model's
 * tokenizer files are read.
 */
import { existsSync, openAsBlob, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { UserError } from '../src/lib/errors.ts';
import { parseRecipe, trainFilesOf, type Recipe } from '../src/training/recipe.ts';
import { inspectFiles, type InspectedFile } from './lib/inspectFile.ts';
import { tokenizerOfModel } from './lib/modelTokenizer.ts';
import { recipeAt } from './lib/recipeAt.ts';

const USAGE = 'usage: npm run inspect -- FILE… --model FOLDER|FILE.gguf [--recipe recipe.json] [--rows]';

export async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { model: { type: 'string' }, recipe: { type: 'string' }, rows: { type: 'boolean' } },
  });
  if (positionals.length === 0 || !values.model) {
    console.error(USAGE);
    return 2;
  }
  for (const path of positionals)
    if (!existsSync(path) || !statSync(path).isFile())
      throw new UserError(`There is no file ${path}. Give the paths of data files.`);
  const tokenizer = await tokenizerOfModel(values.model);
  const recipe = await recipeOf(values.recipe);
  const given = await Promise.all(
    positionals.map(async (path) => ({
      path,
      blob: await openAsBlob(path),
      role: values.recipe === undefined ? undefined : roleIn(recipe, dirname(values.recipe), path),
    })),
  );
  await write(printed(await inspectFiles(given, tokenizer, { recipe, withDocuments: values.rows ?? false })));
  return 0;
}

/** The report as JSON, indented, with one line a document. */
function printed(files: readonly InspectedFile[]): string {
  const inOrder = files.map(({ documents, ...rest }) => {
    const head = JSON.stringify(rest, null, 1);
    if (!documents) return head;
    const lines = documents.map((document) => `  ${JSON.stringify(document)}`).join(',\n');
    return `${head.slice(0, -2)},\n "documents": [\n${lines}\n ]\n}`;
  });
  return `{"files": [\n${inOrder.join(',\n')}\n]}\n`;
}

/** Resolves once the whole text is written, which a process that exits at once would cut off. */
function write(text: string): Promise<void> {
  return new Promise((done, failed) =>
    process.stdout.write(text, (error) => (error ? failed(error) : done())),
  );
}

async function recipeOf(path: string | undefined): Promise<Recipe> {
  if (path === undefined) return parseRecipe({});
  const { recipe, notes } = await recipeAt(path);
  for (const note of notes) console.error(note);
  return recipe;
}

/**
 * The role that a recipe gives a file; undefined where it does not name it. Its paths are relative to its own
 * folder.
 */
function roleIn(recipe: Recipe, folder: string, path: string): 'train' | 'validation' | undefined {
  const isNamed = (name: string) => name !== '' && resolve(folder, name) === resolve(path);
  if (trainFilesOf(recipe).some(isNamed)) return 'train';
  return recipe.validation_files.some(isNamed) ? 'validation' : undefined;
}
