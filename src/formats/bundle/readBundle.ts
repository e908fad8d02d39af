/** Reads a `.finetab` bundle by ranges; every part is checked against its SHA-256 before it is handed on. */
import { UserError } from '../../lib/errors.ts';
import { sha256Hex } from '../../lib/sha256.ts';
import { Sha256Stream } from '../../lib/sha256Stream.ts';
import { HEADER_END, placeParts, readBundleHeader, type PlacedPart } from './bundleLayout.ts';
import { parseBundleManifest, type BundleManifest } from './bundleManifest.ts';

/** Bytes that can be read by ranges: a file, or an address. */
export interface ByteSource {
  /** What it is called in messages. */
  name: string;
  size: number;
  /** @returns the bytes from begin up to end; fewer where the source is shorter */
  read(begin: number, end: number): Promise<Uint8Array>;
}

export function blobSource(blob: Blob, name: string): ByteSource {
  return {
    name,
    size: blob.size,
    read: async (begin, end) => new Uint8Array(await blob.slice(begin, end).arrayBuffer()),
  };
}

/**
 * A source that is read front to back in few, large ranges.
 * @param window bytes that are asked for at once
 */
export function readAhead(source: ByteSource, window: number): ByteSource {
  let held = new Uint8Array(0);
  let from = 0;
  return {
    ...source,
    async read(begin, end) {
      const last = Math.min(end, source.size);
      if (begin < from || last > from + held.byteLength) {
        held = new Uint8Array(0);
        held = new Uint8Array(
          await source.read(begin, Math.min(Math.max(last, begin + window), source.size)),
        );
        from = begin;
      }
      return held.slice(begin - from, last - from);
    },
  };
}

/** Bytes of a data file that are read at once. */
const READ_BYTES = 2 ** 22;

export class Bundle {
  private readonly parts: ReadonlyMap<string, PlacedPart>;

  private constructor(
    private readonly source: ByteSource,
    readonly manifest: BundleManifest,
    parts: readonly PlacedPart[],
  ) {
    this.parts = new Map(parts.map((part) => [part.path, part]));
  }

  /** @throws UserError where it is no bundle, or is truncated, or its header or manifest is damaged */
  static async open(source: ByteSource): Promise<Bundle> {
    const header = readBundleHeader(await source.read(0, Math.min(HEADER_END, source.size)), source.name);
    const json = await readPart(source, header);
    const manifest = parseBundleManifest(new TextDecoder().decode(json));
    const parts = placeParts(header, manifest.parts);
    const cut = parts.find(({ begin, bytes }) => begin + bytes > source.size);
    if (cut) throw truncated(source.name, cut.path);
    return new Bundle(source, manifest, parts);
  }

  /** Of all parts together. */
  get bytes(): number {
    return this.manifest.parts.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** @throws UserError where the manifest lists no such part */
  part(path: string): PlacedPart {
    const part = this.parts.get(path);
    if (!part) throw new UserError(`${this.source.name} has no part ${path}.`);
    return part;
  }

  /** @throws UserError where the part is damaged */
  read(path: string): Promise<Uint8Array> {
    return readPart(this.source, this.part(path));
  }

  /** @throws UserError where the part is damaged */
  async text(path: string): Promise<string> {
    return new TextDecoder().decode(await this.read(path));
  }

  /** A part of any size; a blob may lie on disk. @throws UserError where it is damaged */
  async blob(path: string): Promise<Blob> {
    const part = this.part(path);
    const { begin, bytes, sha256 } = part;
    const hash = new Sha256Stream();
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    for (let at = 0; at < bytes; at += READ_BYTES) {
      const end = Math.min(at + READ_BYTES, bytes);
      const piece = await this.source.read(begin + at, begin + end);
      if (piece.byteLength < end - at) throw truncated(this.source.name, path);
      hash.update(piece);
      pieces.push(piece as Uint8Array<ArrayBuffer>);
    }
    if (hash.digest() !== sha256) throw damaged(this.source.name, path);
    return new Blob(pieces);
  }
}

async function readPart(source: ByteSource, { path, begin, bytes, sha256 }: PlacedPart): Promise<Uint8Array> {
  const read = await source.read(begin, begin + bytes);
  if (read.byteLength < bytes) throw truncated(source.name, path);
  if ((await sha256Hex(read)) !== sha256) throw damaged(source.name, path);
  return read;
}

const AGAIN = 'Ask for the bundle again, or make it again; nothing of the damaged part was kept.';

function truncated(name: string, path: string): UserError {
  return new UserError(`${name} is cut off: its part ${path} is not whole. ${AGAIN}`);
}

function damaged(name: string, path: string): UserError {
  return new UserError(`${path} in ${name} is damaged or was exchanged: its SHA-256 is another. ${AGAIN}`);
}
