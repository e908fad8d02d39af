/**
 * A weight file of the Hub, read by ranges and verified: every byte is hashed once, in the file's order,
 * while it is read. Blocks that are read a second time must be equal to what was hashed, so that the hash
 * holds for all that an import was given.
 */
import { ChangedFileError, UserError } from '../../lib/errors.ts';
import { sha256Hex } from '../../lib/sha256.ts';
import { Sha256Stream, type Sha256State } from '../../lib/sha256Stream.ts';
import type { FileDownload } from '../../formats/sourceCheckpoint.ts';
import { HubStatusError, type HubRequests } from './hubRequests.ts';

export const BLOCK_BYTES = 4 * 1024 * 1024;
/** Blocks requested at once, ahead of the reader. */
const AHEAD = 4;
/** Blocks in memory, of those that were read last. */
const KEPT = AHEAD + 4;
/** A read of at most so many bytes far ahead is requested by itself, and compared when its block comes. */
const SMALL_READ = 65_536;

/** Where a download stands, as stored with an unfinished import. */
interface DownloadState {
  sha256: string;
  blockBytes: number;
  hash: Sha256State;
  /** SHA-256 of every block that was hashed. */
  blocks: string[];
}

export interface HubFile {
  path: string;
  url: string;
  size: number;
  /** Of the whole file, as the Hub's listing has it. */
  sha256: string;
}

export class VerifiedDownload implements FileDownload {
  private readonly kept = new Map<number, Promise<Uint8Array>>();
  private blocks: string[] = [];
  private hash = new Sha256Stream();
  /** Hashes in order, one block after the other. */
  private hashing: Promise<void> = Promise.resolve();
  /** Where the Hub redirected to; requested directly from then on, without the token. */
  private direct: string | null = null;
  private isHashed = true;
  /** What was read ahead of the hash, with where it begins. */
  private early: { begin: number; bytes: Uint8Array }[] = [];

  constructor(
    private readonly file: HubFile,
    private readonly requests: HubRequests,
    private readonly blockBytes = BLOCK_BYTES,
  ) {}

  get hashedBytes(): number {
    return Math.min(this.file.size, this.blocks.length * this.blockBytes);
  }

  /** @throws UserError where the bytes cannot be had, or are others than those that were hashed before */
  async read(begin: number, end: number): Promise<Uint8Array> {
    const first = Math.floor(begin / this.blockBytes);
    const last = Math.ceil(end / this.blockBytes) - 1;
    if (end - begin <= SMALL_READ && first > this.blocks.length + AHEAD) {
      const bytes = await this.fetchRange(begin, end);
      this.early.push({ begin, bytes });
      return bytes;
    }
    const bytes = new Uint8Array(end - begin);
    for (let index = first; index <= last; index++) {
      // What nobody reads is hashed as well, before what comes after it is handed out.
      if (this.isHashed) await this.hashUpTo(index);
      const block = await this.block(index);
      const at = index * this.blockBytes;
      bytes.set(
        block.subarray(Math.max(0, begin - at), Math.min(block.byteLength, end - at)),
        Math.max(0, at - begin),
      );
    }
    return bytes;
  }

  /** @throws UserError where the file is not the one that the Hub lists */
  async verify(): Promise<void> {
    await this.hashUpTo(this.count - 1);
    const found = this.hash.digest();
    if (found !== this.file.sha256)
      throw new ChangedFileError(
        `${this.file.path} is not the file that the Hub lists: its SHA-256 is ${found.slice(0, 12)}…, the listing says ${this.file.sha256.slice(0, 12)}…. It was changed on the way, or while it was downloaded. What was stored of the model has been removed: download it again, from another network if this happens twice.`,
      );
  }

  state(): string {
    return JSON.stringify({
      sha256: this.file.sha256,
      blockBytes: this.blockBytes,
      hash: this.hash.state(),
      blocks: this.blocks,
    } satisfies DownloadState);
  }

  readAlone(): void {
    this.isHashed = false;
  }

  restore(text: string): void {
    const { sha256, blockBytes, hash, blocks } = JSON.parse(text) as DownloadState;
    if (sha256 !== this.file.sha256 || blockBytes !== this.blockBytes) return;
    this.hash = new Sha256Stream(hash);
    this.blocks = blocks;
    this.kept.clear();
  }

  private get count(): number {
    return Math.ceil(this.file.size / this.blockBytes);
  }

  private async hashUpTo(last: number): Promise<void> {
    const work = this.hashing.then(async () => {
      while (this.blocks.length <= last) {
        const index = this.blocks.length;
        for (let ahead = 1; ahead < AHEAD; ahead++)
          // Whoever needs this block asks for it again and gets the error.
          if (index + ahead < this.count) void this.block(index + ahead).catch(() => undefined);
        const bytes = await this.block(index);
        const digest = await sha256Hex(bytes);
        this.compareEarly(index * this.blockBytes, bytes);
        this.hash.update(bytes);
        this.blocks.push(digest);
      }
    });
    // The next reader tries again; this one is given the error.
    this.hashing = work.catch(() => undefined);
    await work;
  }

  /** What was read ahead must be what the block holds. */
  private compareEarly(at: number, block: Uint8Array): void {
    for (const { begin, bytes } of this.early) {
      const from = Math.max(at, begin);
      const to = Math.min(at + block.byteLength, begin + bytes.byteLength);
      for (let i = from; i < to; i++) if (block[i - at] !== bytes[i - begin]) throw this.changed();
    }
    this.early = this.early.filter(({ begin, bytes }) => begin + bytes.byteLength > at + block.byteLength);
  }

  private changed(): ChangedFileError {
    return new ChangedFileError(
      `${this.file.path} changed on the Hub while it was downloaded. What was stored of the model has been removed: download it again.`,
    );
  }

  private block(index: number): Promise<Uint8Array> {
    let block = this.kept.get(index);
    if (!block) {
      block = this.fetchBlock(index);
      // The caller gets the error; the block is fetched again the next time.
      block.catch(() => this.kept.delete(index));
    }
    // Last used, last removed.
    this.kept.delete(index);
    this.kept.set(index, block);
    for (const old of this.kept.keys()) {
      if (this.kept.size <= KEPT) break;
      this.kept.delete(old);
    }
    return block;
  }

  private async fetchBlock(index: number): Promise<Uint8Array> {
    const begin = index * this.blockBytes;
    const end = Math.min(this.file.size, begin + this.blockBytes);
    const bytes = await this.fetchRange(begin, end);
    const known = this.blocks[index];
    if (known !== undefined && (await sha256Hex(bytes)) !== known) throw this.changed();
    return bytes;
  }

  private async fetchRange(begin: number, end: number): Promise<Uint8Array> {
    const { file, requests, direct } = this;
    const headers = { range: `bytes=${begin}-${end - 1}` };
    let answer;
    try {
      answer = await requests.get(direct ?? file.url, end - begin, headers);
    } catch (error) {
      // Addresses of a storage host expire: the Hub gives a new one.
      if (direct === null || !(error instanceof HubStatusError)) throw error;
      this.direct = null;
      answer = await requests.get(file.url, end - begin, headers);
    }
    const { status, bytes, url } = answer;
    if (new URL(url).origin !== new URL(requests.base).origin) this.direct = url;
    const [, from, to, total] =
      /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(answer.headers.get('content-range') ?? '') ?? [];
    const fail = (what: string): never => {
      throw new UserError(
        `${file.path}: ${new URL(url).host} ${what} Try again, or download the model by hand and drop its folder.`,
      );
    };
    const isWhole = begin === 0 && end === file.size && bytes.byteLength === file.size;
    if (status !== 206 && !isWhole)
      fail('ignored the range that was asked for and sent something else: it cannot be read piece by piece.');
    if (total !== undefined && total !== '*' && Number(total) !== file.size)
      fail(`says that the file has ${total} bytes, the Hub's listing says ${file.size}.`);
    if (from !== undefined && (Number(from) !== begin || Number(to) !== end - 1))
      fail(`sent the bytes ${from} to ${to} where ${begin} to ${end - 1} were asked for.`);
    if (bytes.byteLength !== end - begin)
      fail(`sent ${bytes.byteLength} bytes where ${end - begin} were asked for.`);
    return bytes;
  }
}

/** A file of the Hub as a Blob: a slice is requested when it is read. Of a Blob's methods no others work. */
export class RemoteBlob extends Blob {
  constructor(
    private readonly download: VerifiedDownload,
    private readonly begin: number,
    private readonly end: number,
  ) {
    super();
  }

  override get size(): number {
    return this.end - this.begin;
  }

  override slice(start = 0, end = this.size): RemoteBlob {
    const place = (at: number) => (at < 0 ? Math.max(0, this.size + at) : Math.min(at, this.size));
    const from = place(start);
    return new RemoteBlob(this.download, this.begin + from, this.begin + Math.max(from, place(end)));
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.download.read(this.begin, this.end)).buffer as ArrayBuffer;
  }

  override async text(): Promise<string> {
    return new TextDecoder().decode(await this.arrayBuffer());
  }
}
