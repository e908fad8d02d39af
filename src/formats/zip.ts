/** A folder as one zip, by fflate. The same files give the same bytes. */
import { zipSync } from 'fflate';

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
