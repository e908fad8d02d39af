/** One file of a model on the Hub, verified against the hash that the Hub lists for it. */
import type { NamedFile } from '../../formats/checkpoint.ts';
import { UserError } from '../../lib/errors.ts';
import { sha256Hex, toHex } from '../../lib/sha256.ts';
import type { HubRequests } from './hubRequests.ts';
import { RemoteBlob, VerifiedDownload } from './verifiedDownload.ts';

export interface ListedFile {
  path: string;
  size: number;
  /** SHA-1 of git's blob. */
  oid?: string;
  lfs?: { oid: string; size: number };
}

export const WEIGHTS = /^model(-\d+-of-\d+)?\.safetensors$/;
/** The Hub keeps a larger file in LFS. */
const WHOLE_FILE_LIMIT = 128 * 1024 * 1024;

/** @throws UserError where the file is not the one that the Hub lists */
export async function openFile(
  requests: HubRequests,
  id: string,
  revision: string,
  file: ListedFile,
  blockBytes: number,
): Promise<NamedFile> {
  const { path, size, oid, lfs } = file;
  const url = `${requests.base}/${id}/resolve/${revision}/${path}`;
  if (lfs && !/^[0-9a-f]{64}$/.test(lfs.oid))
    throw new UserError(
      `The Hub's listing gives ${path} no SHA-256, so what is downloaded could not be verified. Try again later, or download the model and drop its folder.`,
    );
  if (lfs && WEIGHTS.test(path)) {
    const download = new VerifiedDownload(
      { path, url, size: lfs.size, sha256: lfs.oid },
      requests,
      blockBytes,
    );
    return { path, blob: new RemoteBlob(download, 0, lfs.size), sha256: lfs.oid, download };
  }
  const bytes = await wholeFile(requests, url, path, lfs?.size ?? size);
  const sha256 = await sha256Hex(bytes);
  const isListed = lfs ? sha256 === lfs.oid : !hasGitHash(file) || (await gitBlobHash(bytes)) === oid;
  if (!isListed)
    throw new UserError(
      `${path} is not the file that the Hub lists: its hash is another. It was changed on the way, or while it was downloaded. Download the model again, from another network if this happens twice.`,
    );
  return { path, blob: new Blob([bytes as Uint8Array<ArrayBuffer>]), sha256 };
}

async function wholeFile(
  requests: HubRequests,
  url: string,
  path: string,
  size: number,
): Promise<Uint8Array> {
  if (size > WHOLE_FILE_LIMIT)
    throw new UserError(
      `${path} has ${size} bytes on the Hub: that is no file of a model that Finetab reads.`,
    );
  const { bytes } = await requests.get(url, size);
  if (bytes.byteLength !== size)
    throw new UserError(
      `${path} came with ${bytes.byteLength > size ? 'more than' : bytes.byteLength} of the ${size} bytes that the Hub lists. Start the download again.`,
    );
  return bytes;
}

export function hasGitHash({ oid }: ListedFile): boolean {
  return oid !== undefined && /^[0-9a-f]{40}$/.test(oid);
}

/** The hash that git gives a file: SHA-1 of "blob <size>\0" and the file. */
async function gitBlobHash(bytes: Uint8Array): Promise<string> {
  const header = new TextEncoder().encode(`blob ${bytes.byteLength}\0`);
  const all = new Uint8Array(header.byteLength + bytes.byteLength);
  all.set(header);
  all.set(bytes, header.byteLength);
  return toHex(await crypto.subtle.digest('SHA-1', all));
}
