/** The tokenizer of a model's folder as the page makes it, from the folder's own text files. */
import { existsSync, openAsBlob, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { baseName } from '../../src/data/files/fileNames.ts';
import {
  ChatTokenizer,
  filesOfModel,
  TOKENIZER_FILES,
  type TokenizerFiles,
} from '../../src/data/tokenizer/chatTokenizer.ts';
import { openGguf } from '../../src/formats/gguf/ggufCheckpoint.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { UserError } from '../../src/lib/errors.ts';

/**
 * @param path a folder as the Hub lays it out, or a .gguf
 * @throws UserError where there is none or its tokenizer cannot be used
 */
export async function tokenizerOfModel(path: string): Promise<ChatTokenizer> {
  if (!/\.gguf$/i.test(path)) return new ChatTokenizer(await tokenizerFilesOf(path));
  if (!existsSync(path))
    throw new UserError(
      `There is no file ${path}. Give a model's .gguf, or its folder as the Hub lays it out.`,
    );
  const checkpoint = await openGguf([{ path: baseName(path), blob: await openAsBlob(path) }]);
  return new ChatTokenizer(filesOfModel(checkpoint));
}

/** Texts of the files that a tokenizer is made from; those that the folder lacks are absent. */
export async function tokenizerFilesOf(folder: string): Promise<TokenizerFiles> {
  if (!existsSync(folder))
    throw new UserError(
      `There is no folder ${folder}. Give the folder of a model as the Hub lays it out, or a GGUF.`,
    );
  if (!statSync(folder).isDirectory())
    return (await openCheckpoint([{ path: basename(folder), blob: await openAsBlob(folder) }])).texts;
  const gguf = join(folder, 'model.gguf');
  if (!existsSync(join(folder, 'tokenizer.json')) && existsSync(gguf)) return tokenizerFilesOf(gguf);
  const texts: Record<string, string> = {};
  for (const name of TOKENIZER_FILES) {
    const path = join(folder, name);
    if (existsSync(path)) texts[name] = await readFile(path, 'utf8');
  }
  return texts;
}
