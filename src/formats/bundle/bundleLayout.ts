/**
 * Where everything lies in a bundle. It is a zip of stored entries, so that any program opens it, in a fixed
 * order, so that it is read front to back or by ranges without the zip's own directory, which lies at the
 * end: the entry `finetab-bundle` of HEADER_BYTES says how long manifest.json is and what its SHA-256 is,
 * then come manifest.json and the parts that it lists.
 */
import { UserError } from '../../lib/errors.ts';
import { BUNDLE_FORMAT, BUNDLE_VERSION, PATHS, type BundlePart } from './bundleManifest.ts';

export const HEADER_NAME = 'finetab-bundle';
export const HEADER_BYTES = 128;
/** A zip's local header without its name, and what stands behind the bytes of a streamed entry. */
const [LOCAL, DESCRIPTOR] = [30, 16];
const MOST_MANIFEST_BYTES = 2 ** 26;

export interface PlacedPart extends BundlePart {
  /** First byte of its contents in the file. */
  begin: number;
}

/** "finetab bundle 1 <bytes of manifest.json> <its SHA-256>", padded with spaces. */
export function bundleHeader(manifestBytes: number, manifestSha256: string): Uint8Array {
  const line = `${BUNDLE_FORMAT} ${BUNDLE_VERSION} ${manifestBytes} ${manifestSha256}`;
  return new TextEncoder().encode(`${line.padEnd(HEADER_BYTES - 1)}\n`);
}

/** Bytes from the file's beginning that are needed to read the header. */
export const HEADER_END = LOCAL + HEADER_NAME.length + HEADER_BYTES;

/**
 * @param start the first HEADER_END bytes of the file
 * @throws UserError where it is no bundle, or one of a newer version
 */
export function readBundleHeader(start: Uint8Array, name: string): BundlePart & { begin: number } {
  const text = new TextDecoder().decode(start.subarray(LOCAL));
  const isZip = start.byteLength >= HEADER_END && start[0] === 0x50 && start[1] === 0x4b;
  if (!isZip || !text.startsWith(`${HEADER_NAME}${BUNDLE_FORMAT} `))
    throw new UserError(
      `${name} is no .finetab bundle. Take a file that "Save as a bundle" or npm run bundle wrote.`,
    );
  const [version, bytes, sha256] = text.slice(HEADER_NAME.length + BUNDLE_FORMAT.length + 1).split(' ');
  if (Number(version) > BUNDLE_VERSION)
    throw new UserError(
      `${name} was written by a newer version of Finetab (bundle ${version}, this page reads ${BUNDLE_VERSION}). Reload the page without a cache, or make the bundle again with this version.`,
    );
  const length = Number(bytes);
  if (
    version !== String(BUNDLE_VERSION) ||
    !/^[0-9a-f]{64}$/.test(sha256?.trim() ?? '') ||
    !Number.isSafeInteger(length) ||
    length > MOST_MANIFEST_BYTES
  )
    throw new UserError(`The header of ${name} is damaged. Ask for the bundle again, or make it again.`);
  return {
    path: PATHS.manifest,
    bytes: length,
    sha256: sha256!.trim(),
    begin: HEADER_END + DESCRIPTOR + localBytes(PATHS.manifest),
  };
}

/** @param before the part that lies ahead of the first */
export function placeParts(before: PlacedPart, parts: readonly BundlePart[]): PlacedPart[] {
  let at = before.begin + before.bytes + DESCRIPTOR;
  return parts.map((part) => {
    const begin = at + localBytes(part.path);
    at = begin + part.bytes + DESCRIPTOR;
    return { ...part, begin };
  });
}

function localBytes(path: string): number {
  return LOCAL + new TextEncoder().encode(path).byteLength;
}
