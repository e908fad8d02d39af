/** A `.finetab` bundle of files on disk: what `npm run bundle` does. */
import { IDBKeyRange } from 'fake-indexeddb';
import { existsSync, openAsBlob, statSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { bundleContents } from '../../src/export/bundle/bundleContents.ts';
import { writeBundle } from '../../src/formats/bundle/writeBundle.ts';
import type { NamedFile } from '../../src/formats/checkpoint.ts';
import { importModel } from '../../src/import/importModel.ts';
import { UserError } from '../../src/lib/errors.ts';
import { memoryDatabase } from '../../src/storage/memory/memoryDatabase.ts';
import { parseRecipe, recipeToJson, trainFilesOf, type Recipe } from '../../src/training/recipe.ts';
import { filesOf } from './nodeFiles.ts';
import { spooledStore } from './spooledStore.ts';

export interface BundleRequest {
  /** A folder, or a .gguf. */
  model: string;
  recipe: string;
  lesson?: string;
  title?: string;
  /** Of the model. */
  name?: string;
  out: string;
}

export interface MadeBundle {
  bytes: number;
  parts: number;
  modelName: string;
}

/** @throws UserError where a file is missing, or the model or the recipe cannot be read */
export async function makeBundle({
  model,
  recipe: recipePath,
  lesson,
  title,
  name = basename(resolve(model)).replace(/\.gguf$/i, ''),
  out,
}: BundleRequest): Promise<MadeBundle> {
  // The database's key ranges are the browser's own class.
  globalThis.IDBKeyRange ??= IDBKeyRange;
  for (const path of [model, recipePath, ...(lesson === undefined ? [] : [lesson])])
    if (!existsSync(path)) throw new UserError(`There is no ${path}.`);
  const recipe = parseRecipe(await readFile(recipePath, 'utf8'));
  const files = await modelFiles(model);
  const data = await dataFiles(recipe, dirname(recipePath));
  await mkdir(dirname(resolve(out)), { recursive: true });
  const store = await spooledStore(`${out}.weights`);
  try {
    const database = memoryDatabase(store);
    const manifest = await importModel({
      files,
      name,
      quantization: recipe.quantization,
      database,
      checkRoom: async () => undefined,
    });
    const contents = await bundleContents(database, manifest.id, {
      title: title ?? basename(out).replace(/\.finetab$/i, ''),
      recipe: recipeToJson({ ...recipe, model: manifest.name, quantization: manifest.quantization }),
      data,
      lesson: lesson === undefined ? null : await readFile(lesson, 'utf8'),
    });
    let bytes = 0;
    const file = await open(`${out}.part`, 'w');
    try {
      await writeBundle(contents, async (piece) => {
        bytes += piece.byteLength;
        await file.writeFile(piece);
      });
    } finally {
      await file.close();
    }
    await rename(`${out}.part`, out);
    const chunks = manifest.tensors.reduce((sum, tensor) => sum + tensor.chunks.length, 0);
    return { bytes, parts: chunks + data.length, modelName: `${manifest.name}, ${manifest.quantization}` };
  } finally {
    await store.close();
    await rm(`${out}.part`, { force: true });
  }
}

async function modelFiles(path: string): Promise<NamedFile[]> {
  if (!statSync(path).isDirectory()) return [{ path: basename(path), blob: await openAsBlob(path) }];
  return (await filesOf(path)).filter((file) => !file.path.includes('/'));
}

/** @throws UserError naming the first file of the recipe that is not there */
async function dataFiles(recipe: Recipe, folder: string): Promise<{ name: string; blob: Blob }[]> {
  const paths = [...trainFilesOf(recipe), ...recipe.validation_files];
  if (trainFilesOf(recipe).length === 0 || paths[0] === '')
    throw new UserError('The recipe names no train_file: a bundle holds the data that it trains on.');
  return Promise.all(
    paths.map(async (path) => {
      const whole = join(folder, path);
      if (!existsSync(whole)) throw new UserError(`The recipe names ${path}, but there is no ${whole}.`);
      return { name: basename(path), blob: await openAsBlob(whole) };
    }),
  );
}
