/** An adapter in other forms on disk: what `npm run convert` and `npm run headless -- --export` do. */
import { createWriteStream, existsSync, openAsBlob, statSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ExportFile } from '../../src/export/exportFile.ts';
import { exportForms, type ExportInput } from '../../src/export/exportForms.ts';
import { EXPORT_NAMES, type ExportName } from '../../src/export/exportNames.ts';
import { openCheckpoint, type NamedFile } from '../../src/formats/checkpoint.ts';
import { readAdapter } from '../../src/import/readAdapter.ts';
import { streamingWeightSource } from '../../src/import/weightSources.ts';
import { UserError } from '../../src/lib/errors.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { filesOf } from './nodeFiles.ts';

export interface Conversion extends Pick<ExportInput, 'dtype' | 'ggufType' | 'system'> {
  /** A PEFT folder, or a GGUF LoRA adapter. */
  adapter: string;
  /** A model's folder, or a .gguf. */
  base: string;
  forms: readonly ExportName[];
  /** One folder a form is written into it. */
  out: string;
  /** What the result calls itself. */
  name?: string;
}

/** @throws UserError naming the first of `names` that is no form */
export function exportNames(names: readonly string[]): ExportName[] {
  return names.map((name) => {
    const found = EXPORT_NAMES.find((known) => known === name);
    if (!found) throw new UserError(`There is no form ${name}. Forms: ${EXPORT_NAMES.join(', ')}.`);
    return found;
  });
}

/** @throws UserError where an adapter or a base cannot be read, or a form cannot hold the adapter */
export async function convertAdapter(conversion: Conversion): Promise<void> {
  const { adapter, base, forms, out, ...options } = conversion;
  const source = await openCheckpoint(await filesAt(base));
  const read = await readAdapter(await filesAt(adapter), source.config);
  const weights = streamingWeightSource(source, modelOf(source.config).tensors);
  for (const form of forms) {
    const files = await exportForms[form]({
      adapter: read,
      base: weights,
      ...(source.ggufSource && { ggufSource: source.ggufSource }),
      baseWeights: `the weights of the files at hand${source.prequantized || source.gguf ? ', dequantised' : ''}`,
      texts: source.texts,
      name: basename(resolve(adapter)),
      ...options,
    });
    for (const file of files) await write(join(out, form), file);
    console.log(`${form}: ${files.map(({ path }) => join(out, form, path)).join(', ')}`);
    for (const note of files.flatMap(({ notes = [] }) => notes)) console.log(`  ${note}`);
  }
}

/** The files of a folder's top, or the one file. */
async function filesAt(path: string): Promise<NamedFile[]> {
  if (!existsSync(path)) throw new UserError(`There is no ${path}. Give a folder, or a .gguf.`);
  return statSync(path).isDirectory()
    ? (await filesOf(path)).filter((file) => !file.path.includes('/'))
    : [{ path: basename(path), blob: await openAsBlob(path) }];
}

/** Writes beside the final name and renames at the end: a file that is there is whole. */
async function write(folder: string, file: ExportFile): Promise<void> {
  const path = join(folder, file.path);
  await mkdir(dirname(path), { recursive: true });
  await pipeline(Readable.from(file.pieces()), createWriteStream(`${path}.part`));
  await rename(`${path}.part`, path);
}
