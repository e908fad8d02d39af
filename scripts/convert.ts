/**
 * `npm run convert -- ADAPTER --base BASE --to NAME --out DIR`: any PEFT or GGUF LoRA adapter in another form, without a
 * browser.
 *   ADAPTER      a folder with adapter_config.json and adapter_model.safetensors, or a GGUF LoRA adapter
 *   --base BASE  the model that the adapter was trained on: its hub-layout folder, or a .gguf
 *   --to NAME    gguf-lora, gguf, merged or mlx; more than once for several
 *   --out DIR    one folder a form is written into it
 *   --dtype D    of merged safetensors: bfloat16 (default) or float16
 *   --outtype T  of a merged GGUF: f16 (default), q8_0, q4_0 or f32
 */
import { createWriteStream, existsSync, openAsBlob, statSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { exportForms, EXPORT_NAMES, type ExportName } from '../src/export/exportForms.ts';
import type { ExportFile } from '../src/export/exportFile.ts';
import { GGUF_FILE_TYPES, type GgufFileType } from '../src/export/gguf/tensorEncoding.ts';
import { openCheckpoint, type NamedFile } from '../src/formats/checkpoint.ts';
import { UserError } from '../src/lib/errors.ts';
import { readAdapter } from '../src/import/readAdapter.ts';
import { streamingWeightSource } from '../src/import/weightSources.ts';
import { modelOf } from '../src/model/families/registry.ts';
import { filesOf } from './lib/nodeFiles.ts';

const USAGE = `usage: npm run convert -- ADAPTER --base BASE --to ${EXPORT_NAMES.join('|')} --out DIR`;

export async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      base: { type: 'string' },
      to: { type: 'string', multiple: true },
      out: { type: 'string' },
      dtype: { type: 'string', default: 'bfloat16' },
      outtype: { type: 'string', default: 'f16' },
    },
  });
  const [adapterFolder] = positionals;
  const { base, to = [], out, dtype } = values;
  const ggufType = values.outtype.toUpperCase();
  const unknown = to.find((name) => !(EXPORT_NAMES as readonly string[]).includes(name));
  if (!adapterFolder || !base || !out || to.length === 0 || unknown !== undefined) {
    console.error(unknown === undefined ? USAGE : `There is no form ${unknown}.\n${USAGE}`);
    return 2;
  }
  if (dtype !== 'bfloat16' && dtype !== 'float16') {
    console.error(`--dtype ${dtype}: write bfloat16 or float16.`);
    return 2;
  }
  if (!isFileType(ggufType)) {
    console.error(
      `--outtype ${values.outtype}: write ${Object.keys(GGUF_FILE_TYPES).join(', ').toLowerCase()}.`,
    );
    return 2;
  }
  const source = await openCheckpoint(await filesAt(base));
  const weights = streamingWeightSource(source, modelOf(source.config).tensors);
  const adapter = await readAdapter(await filesAt(adapterFolder), source.config);
  for (const name of to as ExportName[]) {
    const files = await exportForms[name]({
      adapter,
      base: weights,
      ...(source.ggufSource && { ggufSource: source.ggufSource }),
      baseWeights:
        source.prequantized || source.gguf
          ? 'the dequantised weights of the files at hand'
          : 'the weights of the files at hand',
      texts: source.texts,
      name: basename(resolve(adapterFolder)),
      dtype: dtype === 'bfloat16' ? 'BF16' : 'F16',
      ggufType,
      system: null,
    });
    for (const file of files) await write(join(out, name), file);
    console.log(`${name}: ${files.map(({ path }) => join(out, name, path)).join(', ')}`);
  }
  return 0;
}

function isFileType(text: string): text is GgufFileType {
  return text in GGUF_FILE_TYPES;
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
