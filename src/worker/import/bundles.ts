/** `.finetab` bundles in import.worker: opened from a file or an address, and made of a stored model. */
import { bundleContents, type BundleExtras } from '../../export/bundle/bundleContents.ts';
import { blobSource, Bundle, readAhead, type ByteSource } from '../../formats/bundle/readBundle.ts';
import { writeBundle } from '../../formats/bundle/writeBundle.ts';
import { importBundle } from '../../import/bundle/importBundle.ts';
import { UserError } from '../../lib/errors.ts';
import type { Database, ModelManifest } from '../../storage/database.ts';
import { checkRoom } from '../../storage/quota.ts';
import { holdingModel } from '../runLock.ts';
import { writePrivateFile } from '../privateFile.ts';

/** Where a bundle is: a file, or an address that answers ranges. */
export type BundlePlace = { file: Blob; name: string } | { url: string };

/** All of a bundle but its model. */
export interface BroughtBundle {
  title: string;
  recipe: string;
  data: { name: string; blob: Blob }[];
  /** Markdown. */
  lesson: string | null;
}

/** Bytes that are asked of an address at once. */
const WINDOW = 2 ** 23;

/** @throws UserError where a part is missing or damaged, or the model cannot be trained */
export async function bringBundle(
  place: BundlePlace,
  database: Database,
  onProgress: (done: number, total: number) => void,
): Promise<{ model: ModelManifest; rest: BroughtBundle }> {
  const bundle = await Bundle.open(
    'url' in place ? readAhead(await addressSource(place.url), WINDOW) : blobSource(place.file, place.name),
  );
  const { title, recipe, data, lesson } = bundle.manifest;
  const rest: BroughtBundle = {
    title,
    recipe: await bundle.text(recipe),
    lesson: lesson === null ? null : await bundle.text(lesson),
    data: [],
  };
  for (const { name, path } of data) rest.data.push({ name, blob: await bundle.blob(path) });
  const model = await importBundle(bundle, { database, checkRoom, onProgress, locked: holdingModel });
  return { model, rest };
}

/** @returns a file that lies in the browser's private files until the next bundle */
export async function saveBundle(
  database: Database,
  modelId: string,
  extras: BundleExtras,
  name: string,
): Promise<File> {
  const contents = await bundleContents(database, modelId, extras);
  return writePrivateFile('bundles', name, (write) => writeBundle(contents, write));
}

async function addressSource(url: string): Promise<ByteSource> {
  const { pathname, host } = new URL(url);
  const name = decodeURIComponent(pathname.split('/').at(-1) || host);
  const ask = async (begin: number, end: number): Promise<Response> => {
    let response: Response;
    try {
      response = await fetch(url, { headers: { range: `bytes=${begin}-${end - 1}` }, cache: 'no-store' });
    } catch (error) {
      throw new UserError(
        `${name} could not be fetched from ${host}: the connection failed. Press again; what came so far is kept.`,
        { cause: error },
      );
    }
    if (response.status === 206) return response;
    await response.body?.cancel();
    throw new UserError(
      response.ok
        ? `${host} does not answer ranges of ${name}. Download the file there and drop it here.`
        : `${host} answered ${response.status} for ${name}. Check the address, or ask for the file.`,
    );
  };
  const first = await ask(0, 1);
  await first.arrayBuffer();
  const size = Number(/\/(\d+)$/.exec(first.headers.get('content-range') ?? '')?.[1]);
  if (!Number.isSafeInteger(size))
    throw new UserError(
      `${host} does not say how long ${name} is. Download the file there and drop it here.`,
    );
  return {
    name,
    size,
    read: async (begin, end) => new Uint8Array(await (await ask(begin, end)).arrayBuffer()),
  };
}
