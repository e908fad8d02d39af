/**
 * Rows of a data file: its records in the format that they are in, or in the columns that a person has
 * chosen.
 */
import type { Row } from './conversation.ts';
import {
  isRecord,
  KeyCounts,
  mappedFormat,
  notARecord,
  readRow,
  recogniseFormat,
  type ColumnMapping,
  type Format,
} from './rowFormats.ts';
import { openRecords } from '../files/readRecords.ts';
import {
  excerpt,
  rowProblem,
  type BrokenRecord,
  type DataRecord,
  type RecordUnit,
  type RowProblem,
} from '../files/records.ts';
import { unknownKeys } from './meaningfulKeys.ts';
import { TURN_KEYS } from './turns.ts';

/** Chosen columns by file name; `*` is for every file in no known format. */
export type ChosenColumns = Readonly<Record<string, ColumnMapping>>;

export interface Column {
  name: string;
  /** The beginning of what its first row holds. */
  example: string;
}

export interface ParsedRows {
  rows: Row[];
  problems: RowProblem[];
  unit: RecordUnit;
  /** Records found, bad ones included. */
  records: number;
  /** Of the format; null where none fits and no columns are chosen, or there are no records. */
  format: string | null;
  columns: Column[];
  /** What a person should know of how the file was read. */
  notes: string[];
}

/** Records looked at to tell columns. */
const SAMPLE = 200;
/** Records between two looks at the clock, and milliseconds between two reports of how many were found. */
const COUNTED_AT_ONCE = 1024;
const REPORT_MS = 100;

export interface OpeningOptions {
  /** Whether rows may have prompts without answers. */
  promptsAlone?: boolean;
  /** Is notified of how many records were found so far, while the file is read for the first time. */
  onFound?: (records: number) => void;
}

/** A file's rows, read one after the other. */
export interface RowStream extends Omit<ParsedRows, 'rows'> {
  /** May be read once. `problems` and `notes` are complete when it has been read. */
  rows: AsyncIterable<Row>;
}

/**
 * Reads a file once to recognise its format; its rows are then read as they are asked for, so that a large
 * file never is in memory as a whole. Never throws for bad content: every bad row is a problem with its
 * number and what to do.
 */
export async function openRows(
  file: Blob,
  name: string,
  chosen: ChosenColumns = {},
  { promptsAlone = false, onFound }: OpeningOptions = {},
): Promise<RowStream> {
  const source = await openRecords(file, name);
  const { unit } = source;
  const survey = new Survey();
  const problems: RowProblem[] = [];
  let reportAt = performance.now() + REPORT_MS;
  for await (const record of source.read()) {
    survey.add(record);
    if (survey.records % COUNTED_AT_ONCE === 0 && performance.now() >= reportAt) {
      onFound?.(survey.records);
      reportAt = performance.now() + REPORT_MS;
    }
    if ('reason' in record) problems.push(rowProblem({ file: name, kind: 'bad', ...record }));
  }
  const { columns } = survey;
  const format = formatOf(name, survey.keys, columns, chosen, promptsAlone);
  const report = (line: number, reason: string, text: string) =>
    problems.push(rowProblem({ file: name, line, unit, kind: 'bad', reason, excerpt: excerpt(text) }));
  const unread = new UnreadKeys();
  async function* rows(): AsyncGenerator<Row> {
    let count = 0;
    for await (const record of source.read()) {
      if ('reason' in record) continue;
      const { line, value } = record;
      if (!format && columns.length > 0) {
        if (!isRecord(value)) continue;
        report(line, unknownFormat(columns), textOf(value));
        break;
      }
      const row = format ? readRow(value, format) : notARecord(value);
      if (typeof row === 'string') report(line, row, textOf(value));
      else {
        count++;
        unread.count(value as Readonly<Record<string, unknown>>, format!);
        yield { ...row, line, record: value };
      }
    }
    if (count === 0 && problems.length === 0)
      report(1, 'the file is empty. Write one {"query": "…", "response": "…"} object a line.', '');
  }
  return {
    rows: rows(),
    problems,
    unit,
    records: survey.records,
    format: format?.name ?? null,
    columns,
    get notes() {
      return unread.notes;
    },
  };
}

/** Reads a whole file at once. */
export async function parseRows(file: Blob, name: string, chosen: ChosenColumns = {}): Promise<ParsedRows> {
  const stream = await openRows(file, name, chosen);
  const rows: Row[] = [];
  for await (const row of stream.rows) rows.push(row);
  return { ...stream, rows, problems: stream.problems.sort((a, b) => a.line - b.line) };
}

function unknownFormat(columns: readonly Column[]): string {
  const found = columns.map((column) => `"${column.name}"`).join(', ');
  return `is in no known format: its columns are ${found}. Choose which is the prompt and which the answer, or rename them to "query" and "response".`;
}

/**
 * Columns chosen for this file; else its own format; else columns chosen for all files or for another one,
 * where this one has them.
 */
function formatOf(
  name: string,
  keys: KeyCounts,
  columns: readonly Column[],
  chosen: ChosenColumns,
  promptsAlone: boolean,
): Format | null {
  const own = Object.hasOwn(chosen, name) ? chosen[name] : undefined;
  if (own) return mappedFormat(own);
  const recognised = recogniseFormat(keys, promptsAlone);
  if (recognised) return recognised;
  const names = new Set(columns.map((column) => column.name));
  const candidates = [...(chosen['*'] ? [chosen['*']] : []), ...Object.values(chosen)].map(mappedFormat);
  return candidates.find(({ keys }) => keys.every((key) => names.has(key))) ?? null;
}

/** What a first reading finds of a file: how many records, their keys, and examples of the first ones. */
class Survey {
  /** Bad ones included. */
  records = 0;
  readonly keys = new KeyCounts();
  private readonly examples = new Map<string, string>();
  private sound = 0;

  add(record: DataRecord | BrokenRecord): void {
    this.records++;
    if ('reason' in record) return;
    const { value } = record;
    const isSample = this.sound++ < SAMPLE;
    if (!isRecord(value)) return;
    this.keys.add(value);
    if (!isSample) return;
    for (const [name, held] of Object.entries(value))
      if (!this.examples.get(name))
        this.examples.set(name, held === null || held === undefined ? '' : excerpt(textOf(held)));
  }

  get columns(): Column[] {
    return [...this.examples].map(([name, example]) => ({ name, example }));
  }
}

/** Keys that rows have and nothing reads, counted over a file. */
class UnreadKeys {
  private readonly rows = new Map<string, number>();
  private readonly turns = new Map<string, number>();

  count(fields: Readonly<Record<string, unknown>>, format: Format): void {
    for (const key of unknownKeys(fields, format)) add(this.rows, key);
    for (const value of Object.values(fields)) {
      if (!Array.isArray(value)) continue;
      const found = new Set<string>();
      for (const turn of value as unknown[])
        if (isRecord(turn) && ('role' in turn || 'from' in turn))
          for (const key of Object.keys(turn)) if (!TURN_KEYS.includes(key)) found.add(key);
      for (const key of found) add(this.turns, key);
    }
  }

  get notes(): string[] {
    return [...said(this.rows, 'Keys of rows'), ...said(this.turns, 'Keys of turns')];
  }
}

/** Names at most so many keys. */
const KEYS_NAMED = 12;

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function said(counts: ReadonlyMap<string, number>, what: string): string[] {
  if (counts.size === 0) return [];
  const named = [...counts]
    .slice(0, KEYS_NAMED)
    .map(([key, rows]) => `"${excerpt(key)}" (${rows} ${rows === 1 ? 'row' : 'rows'})`);
  const more = counts.size > KEYS_NAMED ? ` and ${counts.size - KEYS_NAMED} more` : '';
  return [`${what} that are not read: ${named.join(', ')}${more}.`];
}

function textOf(value: unknown): string {
  return typeof value === 'string'
    ? value
    : (JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)) ??
        '');
}
