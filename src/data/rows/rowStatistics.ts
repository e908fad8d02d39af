/**
 * Statistics of a file's rows: how long they are, which repeat one another, which are in another file too.
 */
import { largest } from '../../lib/extremes.ts';
import { answerOf, saidIn, turnsBeforeAnswer, type Row } from './conversation.ts';

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

  push(row: Row): void {
    const prompt = turnsBeforeAnswer(row)
      .map((turn) => `${turn.role}\n${normalised(saidIn(turn))}\n`)
      .join('');
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
    };
  }
}

function normalised(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
}

export interface Repeats {
  /** Rows that an earlier row says already. */
  rows: number;
  /** The first few: the line, and the line that it repeats. */
  examples: { line: number; of: number }[];
}

const EXAMPLES = 5;

export function repeatsIn({ rows, lines }: Fingerprints): Repeats {
  const seen = new Map<number, number>();
  const found: Repeats = { rows: 0, examples: [] };
  rows.forEach((hash, i) => {
    const of = seen.get(hash);
    const line = lines[i]!;
    if (of === undefined) seen.set(hash, line);
    else if (++found.rows <= EXAMPLES) found.examples.push({ line, of });
  });
  return found;
}

export interface Overlap {
  /** Rows that are in the other file too. */
  rows: number;
  /** Further rows whose prompt is, with another answer. */
  prompts: number;
  /** The first few: the line, and the other file's line. */
  examples: { line: number; of: number }[];
}

/** Rows of one file that are in another. */
export function overlapOf(own: Fingerprints, other: Fingerprints): Overlap {
  const lines = new Map<number, number>();
  other.rows.forEach((hash, i) => lines.has(hash) || lines.set(hash, other.lines[i]!));
  const prompts = new Set(other.prompts);
  const found: Overlap = { rows: 0, prompts: 0, examples: [] };
  own.rows.forEach((hash, i) => {
    const of = lines.get(hash);
    if (of !== undefined) {
      if (++found.rows <= EXAMPLES) found.examples.push({ line: own.lines[i]!, of });
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
