/** The tokenizer of a model's folder as the page makes it, from the folder's own text files. */
import { existsSync, openAsBlob, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  ChatTokenizer,
  TOKENIZER_FILES,
  type TokenizerFiles,
} from '../../src/data/tokenizer/chatTokenizer.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { UserError } from '../../src/lib/errors.ts';

/** @throws UserError where there is no such folder or its tokenizer cannot be used */
export async function tokenizerOfFolder(folder: string): Promise<ChatTokenizer> {
  return new ChatTokenizer(await tokenizerFilesOf(folder));
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
