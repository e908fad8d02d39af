/** Files of a folder as the page sees dropped ones: names and lazily read blobs. */
import { existsSync, openAsBlob, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import type { NamedFile } from '../../src/formats/checkpoint.ts';
import { UserError } from '../../src/lib/errors.ts';

/** Every file under `folder`, with paths relative to it. */
export async function filesOf(folder: string): Promise<NamedFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        return { path: relative(folder, path), blob: await openAsBlob(path) };
      }),
  );
}

/**
 * The files of a folder's top, or the one file.
 * @throws UserError where there is neither
 */
export async function filesAt(path: string): Promise<NamedFile[]> {
  if (!existsSync(path)) throw new UserError(`There is no ${path}. Give a folder, or a .gguf.`);
  return statSync(path).isDirectory()
    ? (await filesOf(path)).filter((file) => !file.path.includes('/'))
    : [{ path: basename(path), blob: await openAsBlob(path) }];
}
