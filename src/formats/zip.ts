/** A folder as one zip, by fflate. The same files give the same bytes. */
import { unzipSync, Zip, ZipPassThrough, zipSync } from 'fflate';
import { UserError } from '../lib/errors.ts';

/** MS-DOS time starts in 1980; a fixed date keeps equal content equal. */
const DATE = new Date(1980, 0, 1);

/** @param files contents by path @param folder placed ahead of each path where given */
export function zipFolder(files: ReadonlyMap<string, Uint8Array>, folder = ''): Uint8Array {
  const entries = [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, bytes]) => [
      folder ? `${folder}/${name}` : name,
      [bytes, { level: 1 as const, mtime: DATE }],
    ]);
  return zipSync(Object.fromEntries(entries) as Parameters<typeof zipSync>[0]);
}

/** A byte of a deflated stream becomes at most so many (zlib's technical notes). */
const DEFLATE_RATIO = 1032;

/**
 * The files of a zip that are named, by name.
 * @param most bytes that they may unpack to together; what goes beyond is left out, and so is what claims to
 *   be larger than deflate can make of the zip's bytes: room would be made for it
 * @throws Error where it is no zip
 */
export function unzipNamed(
  zip: Uint8Array,
  names: readonly string[],
  most: number,
): Record<string, Uint8Array | undefined> {
  let total = 0;
  const limit = Math.min(most, DEFLATE_RATIO * zip.byteLength);
  return unzipSync(zip, {
    filter: ({ name, originalSize }) => names.includes(name) && (total += originalSize) <= limit,
  });
}

/** fflate writes no zip64, whose sizes go beyond 32 bits. */
export const LARGEST_ZIP = 2 ** 32 - 2 ** 20;

/** A file whose contents come piece by piece. */
export interface StreamedFile {
  path: string;
  bytes: number;
  pieces(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/**
 * A folder as one uncompressed zip, written piece by piece, so that it is never whole in memory.
 * @throws UserError where it is too large for a zip
 */
export async function streamZip(
  files: readonly StreamedFile[],
  write: (bytes: Uint8Array) => void | Promise<void>,
): Promise<void> {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > LARGEST_ZIP)
    throw new UserError(
      `The export is ${(total / 2 ** 30).toFixed(1)} GiB, more than a zip file holds. Save it into a folder instead.`,
    );
  const made: Uint8Array[] = [];
  const zip = new Zip((error, bytes) => {
    if (error) throw error;
    made.push(bytes);
  });
  const flush = async () => {
    for (const bytes of made.splice(0)) await write(bytes);
  };
  for (const { path, pieces } of files) {
    const entry = new ZipPassThrough(path);
    entry.mtime = DATE;
    zip.add(entry);
    for await (const piece of pieces()) {
      entry.push(piece);
      await flush();
    }
    entry.push(new Uint8Array(0), true);
  }
  zip.end();
  await flush();
}
