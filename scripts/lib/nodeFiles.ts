/** Files of a folder as the page sees dropped ones: names and lazily read blobs. */
import { openAsBlob } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { NamedFile } from '../../src/formats/checkpoint.ts';

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
