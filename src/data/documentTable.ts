/**
 * The documents of a data file in flat typed arrays: millions of rows without an object or an array for each
 * of them, and ready to be transferred to another thread.
 */
import { supervisedTokens } from './packing.ts';
import { fileOfRow, noteFile, type RowFiles } from './rows/rowFiles.ts';
import { IGNORE_INDEX, type Document } from './types.ts';

/** Ids of a block (4 MiB): a table grows block by block, so that growing copies nothing. */
const BLOCK_TOKENS = 2 ** 20;

/** A table's contents. Structured-cloneable; every array may be transferred. */
export interface DocumentArrays {
  files: RowFiles;
  /** Ids of all documents, laid end to end in blocks; no document lies in two of them. */
  ids: Uint32Array[];
  /** Per block one bit a token, bit (p & 7) of byte (p >> 3): whether its id is the label too. */
  supervised: Uint8Array[];
  /** The five below have one entry a document. */
  block: Uint32Array;
  /** Place of its first id in the block. */
  start: Uint32Array;
  lengths: Uint32Array;
  promptTokens: Uint32Array;
  truncatedTokens: Uint32Array;
  /** 1-based lines of the file. */
  lines: Uint32Array;
  /** Targets of all documents: supervised tokens but for those on first positions. */
  supervisedTokens: number;
}

/** What a table is made from: a document whose arrays may be plain ones. */
export type DocumentInput = Omit<Document, 'inputIds' | 'labels' | 'file'> & {
  inputIds: ArrayLike<number>;
  labels: ArrayLike<number>;
  /** Where it is another than the table's. */
  file?: string;
};

/** Immutable. `at` makes a document from the table; nothing else allocates per document. */
export class DocumentTable {
  constructor(private readonly arrays: DocumentArrays) {}

  static of(file: string, documents: Iterable<DocumentInput>, blockTokens?: number): DocumentTable {
    const builder = new DocumentTableBuilder(file, blockTokens);
    for (const document of documents) builder.push(document);
    return builder.finish();
  }

  get length(): number {
    return this.arrays.lengths.length;
  }

  /** Files that are read as one, with the first document of each. */
  get files(): RowFiles {
    return this.arrays.files;
  }

  /** Tokens of each document. */
  get lengths(): Uint32Array {
    return this.arrays.lengths;
  }

  /** Targets of all documents. */
  get supervisedTokens(): number {
    return this.arrays.supervisedTokens;
  }

  lineOf(row: number): number {
    return this.arrays.lines[row];
  }

  fileOf(row: number): string {
    return fileOfRow(this.arrays.files, row);
  }

  promptTokensOf(row: number): number {
    return this.arrays.promptTokens[row];
  }

  truncatedTokensOf(row: number): number {
    return this.arrays.truncatedTokens[row];
  }

  /** A document; its ids are a view of the table's own. @throws RangeError where there is no such row */
  at(row: number): Document {
    const { block, start, lengths, promptTokens, truncatedTokens, lines } = this.arrays;
    if (!(row >= 0 && row < lengths.length))
      throw new RangeError(`there is no document ${row} of ${lengths.length}`);
    const begin = start[row];
    const inputIds = this.arrays.ids[block[row]].subarray(begin, begin + lengths[row]);
    const bits = this.arrays.supervised[block[row]];
    const labels = new Int32Array(inputIds.length).fill(IGNORE_INDEX);
    for (let i = 0, p = begin; i < labels.length; i++, p++)
      if ((bits[p >> 3] >> (p & 7)) & 1) labels[i] = inputIds[i];
    return {
      inputIds,
      labels,
      promptTokens: promptTokens[row],
      truncatedTokens: truncatedTokens[row],
      file: this.fileOf(row),
      line: lines[row],
    };
  }

  *[Symbol.iterator](): Generator<Document> {
    for (let row = 0; row < this.length; row++) yield this.at(row);
  }

  /** A copy for another thread, and the buffers to transfer with it. */
  copy(): { arrays: DocumentArrays; buffers: ArrayBuffer[] } {
    const { ids, supervised, block, start, lengths, promptTokens, truncatedTokens, lines } = this.arrays;
    const arrays: DocumentArrays = {
      ...this.arrays,
      ids: ids.map((array) => array.slice()),
      supervised: supervised.map((array) => array.slice()),
      block: block.slice(),
      start: start.slice(),
      lengths: lengths.slice(),
      promptTokens: promptTokens.slice(),
      truncatedTokens: truncatedTokens.slice(),
      lines: lines.slice(),
    };
    const columns = [
      arrays.block,
      arrays.start,
      arrays.lengths,
      arrays.promptTokens,
      arrays.truncatedTokens,
      arrays.lines,
    ];
    return {
      arrays,
      buffers: [...arrays.ids, ...arrays.supervised, ...columns].map(({ buffer }) => buffer as ArrayBuffer),
    };
  }
}

export class DocumentTableBuilder {
  private readonly ids: Uint32Array[] = [];
  private readonly supervised: Uint8Array[] = [];
  private readonly block: number[] = [];
  private readonly start: number[] = [];
  private readonly lengths: number[] = [];
  private readonly promptTokens: number[] = [];
  private readonly truncatedTokens: number[] = [];
  private readonly lines: number[] = [];
  private supervisedTokens = 0;
  private readonly files: RowFiles;
  /** Tokens in the last block. */
  private used = 0;

  /** @param blockTokens ids of a block; a document that is longer gets a block of its own */
  constructor(
    file: string,
    private readonly blockTokens = BLOCK_TOKENS,
  ) {
    this.files = { names: [file], firsts: [0] };
  }

  /**
   * Copies a document in.
   * @throws Error where a label is neither IGNORE_INDEX nor its own id, which the table cannot hold
   */
  push({ inputIds, labels, promptTokens, truncatedTokens, line, file }: DocumentInput): void {
    const { length } = inputIds;
    if (file !== undefined) noteFile(this.files, file, this.lines.length);
    if (labels.length !== length) throw new Error(`${labels.length} labels for ${length} ids`);
    if (this.ids.length === 0 || this.used + length > this.ids.at(-1)!.length) this.addBlock(length);
    const bits = this.supervised.at(-1)!;
    for (let i = 0, p = this.used; i < length; i++, p++) {
      if (labels[i] === IGNORE_INDEX) continue;
      if (labels[i] !== inputIds[i])
        throw new Error(`label ${labels[i]} at place ${i} is not the id ${inputIds[i]} there`);
      bits[p >> 3] |= 1 << (p & 7);
    }
    this.ids.at(-1)!.set(inputIds, this.used);
    this.block.push(this.ids.length - 1);
    this.start.push(this.used);
    this.lengths.push(length);
    this.promptTokens.push(promptTokens);
    this.truncatedTokens.push(truncatedTokens);
    this.lines.push(line);
    this.used += length;
    this.supervisedTokens += supervisedTokens({ labels });
  }

  /** The builder must not be used afterwards. */
  finish(): DocumentTable {
    this.trimLastBlock();
    return new DocumentTable({
      files: this.files,
      ids: this.ids,
      supervised: this.supervised,
      block: Uint32Array.from(this.block),
      start: Uint32Array.from(this.start),
      lengths: Uint32Array.from(this.lengths),
      promptTokens: Uint32Array.from(this.promptTokens),
      truncatedTokens: Uint32Array.from(this.truncatedTokens),
      lines: Uint32Array.from(this.lines),
      supervisedTokens: this.supervisedTokens,
    });
  }

  private addBlock(length: number): void {
    const size = Math.max(this.blockTokens, length);
    this.ids.push(new Uint32Array(size));
    this.supervised.push(new Uint8Array(Math.ceil(size / 8)));
    this.used = 0;
  }

  /** A small file does not keep a whole block. */
  private trimLastBlock(): void {
    const last = this.ids.length - 1;
    if (last < 0) return;
    this.ids[last] = this.ids[last].slice(0, this.used);
    this.supervised[last] = this.supervised[last].slice(0, Math.ceil(this.used / 8));
  }
}
