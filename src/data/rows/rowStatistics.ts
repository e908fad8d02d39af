/**
 * Statistics of a file's rows: how long they are, which repeat one another, which are in another file too.
 */
import { largest } from '../../lib/extremes.ts';
import { answerOf, saidIn, turnsBeforeAnswer, type Row, type RowContent } from './conversation.ts';
import { fileOfRow, noteFile, type RowFiles } from './rowFiles.ts';

export interface Histogram {
  /** Width of a bin; bin i counts the rows of i × width + 1 to (i + 1) × width tokens. */
  binTokens: number;
  counts: number[];
}

const BINS = 32;

export function histogramOf(lengths: readonly number[] | Uint32Array): Histogram {
  const longest = largest(lengths, 0);
  const binTokens = niceWidth(longest / BINS);
  const counts = new Array<number>(Math.ceil(longest / binTokens)).fill(0);
  for (const length of lengths) counts[Math.ceil(length / binTokens) - 1]! += 1;
  return { binTokens, counts };
}

/** The least of 1, 2, 4, 5, 8, 10, 20, 40, 50, 80, 100 … that is not smaller. */
function niceWidth(least: number): number {
  const decade = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, least))));
  return [1, 2, 4, 5, 8, 10].map((factor) => factor * decade).find((width) => width >= least)!;
}

/**
 * What two rows are compared by: no worker needs another's rows. 53-bit hashes of a row's turns, in lower
 * case and with white space made one.
 */
export interface Fingerprints {
  /** Of the whole row, its system message aside. */
  rows: Float64Array;
  /** Of all before the last answer; of a raw text, of the whole. */
  prompts: Float64Array;
  lines: Uint32Array;
  files: RowFiles;
}

export function fingerprintsOf(rows: Iterable<Row>): Fingerprints {
  const builder = new FingerprintsBuilder();
  for (const row of rows) builder.push(row);
  return builder.finish();
}

/** Fingerprints of rows that need not all exist at once. */
export class FingerprintsBuilder {
  private readonly rows: number[] = [];
  private readonly prompts: number[] = [];
  private readonly lines: number[] = [];
  private readonly files: RowFiles = { names: [], firsts: [] };

  push(row: Row): void {
    noteFile(this.files, row.file ?? '', this.lines.length);
    const prompt = promptText(row);
    const whole = hash53(prompt + normalised(answerOf(row)));
    this.rows.push(whole);
    this.prompts.push(row.kind === 'text' ? whole : hash53(prompt));
    this.lines.push(row.line);
  }

  finish(): Fingerprints {
    return {
      rows: Float64Array.from(this.rows),
      prompts: Float64Array.from(this.prompts),
      lines: Uint32Array.from(this.lines),
      files: this.files,
    };
  }
}

/** What two rows that say the same have in common: the row's hash in `Fingerprints.rows`. */
export function rowFingerprint(row: RowContent): number {
  return hash53(promptText(row) + normalised(answerOf(row)));
}

/**
 * What a recipe calls a row by, to leave it out: 14 hex digits of the hash of everything that is said in it,
 * letter by letter.
 */
export function rowKey(row: Row): string {
  return keyOfHash(rowKeyHash(row));
}

/** What `rowKey` writes in hex: an integer below 2^53. */
export function rowKeyHash(row: Row): number {
  return hash53(JSON.stringify({ ...row, line: undefined, file: undefined, record: undefined }));
}

export function keyOfHash(hash: number): string {
  return hash.toString(16).padStart(14, '0');
}

function promptText(row: RowContent): string {
  return turnsBeforeAnswer(row)
    .map((turn) => `${turn.role}\n${normalised(saidIn(turn))}\n`)
    .join('');
}

function normalised(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
}

export interface Repeats {
  /** Rows that an earlier row says already. */
  rows: number;
  /** The first few: the line, and the line that it repeats. */
  examples: RowPair[];
}

/** A row and one that it repeats; with names of files where one of the two is of several read as one. */
export interface RowPair {
  line: number;
  of: number;
  file?: string;
  ofFile?: string;
}

const EXAMPLES = 5;

export function repeatsIn(prints: Fingerprints): Repeats {
  const seen = new Map<number, number>();
  const found: Repeats = { rows: 0, examples: [] };
  prints.rows.forEach((hash, i) => {
    const of = seen.get(hash);
    if (of === undefined) seen.set(hash, i);
    else if (++found.rows <= EXAMPLES) found.examples.push(pairOf(prints, i, prints, of));
  });
  return found;
}

function pairOf(own: Fingerprints, row: number, other: Fingerprints, of: number): RowPair {
  return {
    line: own.lines[row]!,
    of: other.lines[of]!,
    ...(own.files.names.length > 1 ? { file: fileOfRow(own.files, row) } : {}),
    ...(other.files.names.length > 1 ? { ofFile: fileOfRow(other.files, of) } : {}),
  };
}

export interface Overlap {
  /** Rows that are in the other file too. */
  rows: number;
  /** Further rows whose prompt is, with another answer. */
  prompts: number;
  /** The first few: the line, and the other file's line. */
  examples: RowPair[];
}

/** Rows of one file that are in another. */
export function overlapOf(own: Fingerprints, other: Fingerprints): Overlap {
  const firsts = new Map<number, number>();
  other.rows.forEach((hash, i) => firsts.has(hash) || firsts.set(hash, i));
  const prompts = new Set(other.prompts);
  const found: Overlap = { rows: 0, prompts: 0, examples: [] };
  own.rows.forEach((hash, i) => {
    const of = firsts.get(hash);
    if (of !== undefined) {
      if (++found.rows <= EXAMPLES) found.examples.push(pairOf(own, i, other, of));
    } else if (prompts.has(own.prompts[i]!)) found.prompts++;
  });
  return found;
}

/**
 * Two 32-bit multiplicative hashes of the UTF-16 code units, mixed as MurmurHash3 ends, as one integer below
 * 2^53.
 */
function hash53(text: string): number {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}
