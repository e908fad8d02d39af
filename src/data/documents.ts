/** A data file's rows as documents, with what was counted on the way. */
import { largest } from '../lib/extremes.ts';
import { DocumentTableBuilder, type DocumentTable } from './documentTable.ts';
import { excerpt, rowProblem, type RowProblem } from './files/records.ts';
import { answerOf, questionOf, type Row } from './rows/conversation.ts';
import { FindingsBuilder, type RowFindings } from './rows/rowFindings.ts';
import type { ParsedRows } from './rows/parseRows.ts';
import { sourceOf, type DocumentSource } from './documentSource.ts';
import { labelledDocuments } from './labelledDocuments.ts';
import {
  documentsOf,
  type DocumentSettings,
  type Refusal,
  type RowDocument,
} from './rows/encoding/rowDocuments.ts';
import {
  FingerprintsBuilder,
  rowKeyHash,
  histogramOf,
  repeatsIn,
  type Fingerprints,
  type Histogram,
  type Repeats,
} from './rows/rowStatistics.ts';
import type { ChatTokenizer } from './tokenizer/chatTokenizer.ts';

export type { DocumentSettings };

/** A preference row: the same prompt with a wanted and an unwanted answer. */
export interface PairDocument {
  line: number;
  chosen: RowDocument;
  rejected: RowDocument;
}

export interface Dataset {
  file: string;
  documents: DocumentTable;
  /** Of preference rows. */
  pairs: PairDocument[];
  /** Of rows for KTO: whether each document's answer is a wanted one; empty where no row says so. */
  labels: Map<number, boolean>;
  /**
   * Where pairs are read for a method of pairs: the document that is each pair's chosen answer. The one after
   * it is the rejected answer.
   */
  pairStarts: number[];
  /** Rows that are used; one can be several documents. */
  usedRows: number;
  /** What a person should know of how the rows are learned. */
  notes: string[];
  sources: DocumentSource[];
  /** Of each document, the hash by which a recipe leaves its row out (`keyOfHash`). */
  keys: Float64Array;
  /** Whether the documents are prompts, of which nothing is learned. */
  prompts: boolean;
  problems: RowProblem[];
  summary: DatasetSummary;
  /** Of the rows as they are, before any is cut. */
  histogram: Histogram;
  repeats: Repeats;
  fingerprints: Fingerprints;
  findings: RowFindings;
}

export interface DatasetSummary {
  /** Documents that will be used: a row is one, or one an answer or a stretch of text. */
  rows: number;
  tokens: number;
  supervisedTokens: number;
  longest: number;
  truncatedRows: number;
  truncatedTokens: number;
  /** Rows that an earlier row of the file says already. */
  duplicates: number;
  /** Rows that will not be used. */
  problems: number;
  /** Those among them that are wrong in themselves, not just too long. */
  badRows: number;
}

/** Rows between two looks at the clock. */
const ROWS_AT_ONCE = 64;
/** Milliseconds after which other work of the thread gets its turn. A pause costs a worker 4 ms. */
const TURN_MS = 50;

interface BuildOptions {
  onProgress?: (done: number, total: number) => void;
  /**
   * Whether questions and answers are kept in words; those of a large training file need more memory than its
   * ids.
   */
  keepSources?: boolean;
}

/** Rows that are all there, or that are read as they are encoded. */
type RowsToEncode = Pick<ParsedRows, 'problems' | 'unit'> &
  Partial<Pick<ParsedRows, 'notes' | 'records'>> & { rows: Iterable<Row> | AsyncIterable<Row> };

/** Encodes rows; one that cannot be trained is added to the problems, never trained silently. */
export async function buildDataset(
  file: string,
  parsed: RowsToEncode,
  tokenizer: ChatTokenizer,
  settings: DocumentSettings,
  { onProgress, keepSources = true }: BuildOptions = {},
): Promise<Dataset> {
  const builder = new DocumentTableBuilder(file);
  const prints = new FingerprintsBuilder();
  const findings = new FindingsBuilder();
  const sources: Dataset['sources'] = [];
  const keys: number[] = [];
  const refused: RowProblem[] = [];
  const pairs: PairDocument[] = [];
  const labels = new Map<number, boolean>();
  const pairStarts: number[] = [];
  const { preferences } = settings;
  const tally = new Tally();
  const refuse = (row: Row, refusal: Refusal) =>
    refused.push(
      rowProblem({
        file: row.file ?? file,
        line: row.line,
        unit: parsed.unit,
        ...refusal,
        excerpt: excerpt(questionOf(row) || answerOf(row)),
      }),
    );
  let done = 0;
  let turnEnds = performance.now() + TURN_MS;
  for await (const row of parsed.rows) {
    if (++done % ROWS_AT_ONCE === 0 && performance.now() >= turnEnds) {
      onProgress?.(done, parsed.records ?? done);
      await new Promise((resolve) => setTimeout(resolve));
      turnEnds = performance.now() + TURN_MS;
    }
    const outcome = documentsOf(row, tokenizer, settings);
    if ('reason' in outcome) {
      refuse(row, outcome);
      continue;
    }
    for (const lost of outcome.lostAnswers) refuse(row, lost);
    prints.push(row);
    tally.count(row, outcome);
    findings.push(row, outcome.pair ? [outcome.pair.chosen] : outcome.documents);
    if (outcome.pair) pairs.push(outcome.pair);
    const key = rowKeyHash(row);
    const asPair = typeof preferences === 'object' && preferences.as === 'pairs';
    if (outcome.pair && asPair) pairStarts.push(tally.documents);
    for (const { document, label } of labelledDocuments(outcome, preferences)) {
      if (label !== undefined && !asPair) labels.set(tally.documents, label);
      builder.push(row.file === undefined ? document : { ...document, file: row.file });
      tally.documents++;
      keys.push(key);
      if (keepSources) sources.push(sourceOf(row, document));
    }
  }
  const documents = builder.finish();
  const problems = inOrder([...parsed.problems, ...refused]);
  const fingerprints = prints.finish();
  const repeats = repeatsIn(fingerprints);
  return {
    file,
    documents,
    pairs,
    labels,
    pairStarts,
    usedRows: tally.rows,
    notes: [...(parsed.notes ?? []), ...tally.notes],
    sources,
    keys: Float64Array.from(keys),
    prompts: typeof preferences === 'object' && preferences.as === 'prompts' && preferences.only,
    problems,
    summary: summarize(documents, problems, repeats),
    histogram: histogramOf(documents.lengths.map((length, row) => length + documents.truncatedTokensOf(row))),
    repeats,
    fingerprints,
    findings: findings.finish(),
  };
}

/** By file, in the order in which files are first met, and by line. */
function inOrder(problems: RowProblem[]): RowProblem[] {
  const files = [...new Set(problems.map(({ file }) => file))];
  return problems.sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line);
}

/** Counts what was done to rows so that they could be learned from. */
class Tally {
  rows = 0;
  documents = 0;
  private splitRows = 0;
  private splitDocuments = 0;
  private splitTexts = 0;
  private splitTextDocuments = 0;
  private trimmed = 0;

  count(row: Row, { documents, trimmedAnswers }: { documents: unknown[]; trimmedAnswers: number }): void {
    this.rows++;
    this.trimmed += trimmedAnswers;
    if (documents.length < 2) return;
    if (row.kind === 'text') {
      this.splitTexts++;
      this.splitTextDocuments += documents.length;
    } else {
      this.splitRows++;
      this.splitDocuments += documents.length;
    }
  }

  get notes(): string[] {
    const notes: string[] = [];
    if (this.splitRows > 0)
      notes.push(
        `${counted(this.splitRows, 'conversation')} became ${this.splitDocuments} documents, one an answer: this model's chat template renders an answer otherwise once more turns follow.`,
      );
    if (this.splitTexts > 0)
      notes.push(
        `${counted(this.splitTexts, 'text')} longer than max_length became ${this.splitTextDocuments} documents.`,
      );
    if (this.trimmed > 0)
      notes.push(
        `White space at the beginning of ${counted(this.trimmed, 'answer')} was taken off: its tokens would merge with the prompt's.`,
      );
    return notes;
  }
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function summarize(
  documents: DocumentTable,
  problems: readonly RowProblem[],
  repeats: Repeats,
): DatasetSummary {
  const cut = Array.from(documents.lengths, (_, row) => documents.truncatedTokensOf(row));
  return {
    rows: documents.length,
    tokens: documents.lengths.reduce((sum, length) => sum + length, 0),
    supervisedTokens: documents.supervisedTokens,
    longest: largest(documents.lengths, 0),
    truncatedRows: cut.filter((tokens) => tokens > 0).length,
    truncatedTokens: cut.reduce((sum, tokens) => sum + tokens, 0),
    duplicates: repeats.rows,
    problems: problems.length,
    badRows: problems.filter(({ kind }) => kind === 'bad').length,
  };
}
