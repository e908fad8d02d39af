/** Rows of a data file: its records in the format that they are in, or in the columns that a person has chosen. */
import type { Row } from './conversation.ts';
import {
  emptyColumns,
  isRecord,
  mappedFormat,
  readRow,
  recogniseFormat,
  type ColumnMapping,
  type Format,
} from './rowFormats.ts';
import { readRecords } from '../files/readRecords.ts';
import { excerpt, rowProblem, type DataRecord, type RecordUnit, type RowProblem } from '../files/records.ts';
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

/** Parses a whole file. Never throws for bad content: every bad row is a problem with its number and what to do. */
export async function parseRows(file: Blob, name: string, chosen: ChosenColumns = {}): Promise<ParsedRows> {
  const { unit, records, problems: broken } = await readRecords(file, name);
  const problems: RowProblem[] = broken.map((problem) => rowProblem({ file: name, kind: 'bad', ...problem }));
  const report = (line: number, reason: string, text: string) =>
    problems.push(rowProblem({ file: name, line, unit, kind: 'bad', reason, excerpt: excerpt(text) }));
  const columns = columnsOf(records);
  const format = formatOf(name, records, columns, chosen);
  const rows: Row[] = [];
  const unread = new UnreadKeys();
  if (format) {
    for (const { line, value } of records) {
      const row = readRow(value, format);
      if (typeof row === 'string') report(line, row, textOf(value));
      else {
        rows.push({ ...row, line });
        unread.count(value as Readonly<Record<string, unknown>>, format);
      }
    }
  } else if (columns.length > 0) {
    const { line, value } = records.find(({ value }) => isRecord(value))!;
    const found = columns.map((column) => `"${column.name}"`).join(', ');
    report(
      line,
      `is in no known format: its columns are ${found}. Choose which is the prompt and which the answer, or rename them to "query" and "response".`,
      textOf(value),
    );
  } else
    for (const { line, value } of records)
      report(line, 'is not a JSON object. Write {"query": "…", "response": "…"}.', textOf(value));
  if (rows.length === 0 && problems.length === 0)
    report(1, 'the file is empty. Write one {"query": "…", "response": "…"} object a line.', '');
  problems.sort((a, b) => a.line - b.line);
  return {
    rows,
    problems,
    unit,
    records: records.length + broken.length,
    format: format?.name ?? null,
    columns,
    notes: unread.notes,
  };
}

/** Columns chosen for this file; else its own format; else columns chosen for all files or for another one, where this one has them. */
function formatOf(
  name: string,
  records: readonly DataRecord[],
  columns: readonly Column[],
  chosen: ChosenColumns,
): Format | null {
  const own = Object.hasOwn(chosen, name) ? chosen[name] : undefined;
  if (own) return mappedFormat(own);
  const values = records.map(({ value }) => value);
  const isEmpty = emptyColumns(values);
  const recognised = recogniseFormat(values, isEmpty);
  if (recognised) return recognised;
  const names = new Set(columns.map((column) => column.name));
  const candidates = [...(chosen['*'] ? [chosen['*']] : []), ...Object.values(chosen)].map(mappedFormat);
  return candidates.find(({ keys }) => keys.every((key) => names.has(key))) ?? null;
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

function columnsOf(records: readonly DataRecord[]): Column[] {
  const columns = new Map<string, string>();
  for (const { value } of records.slice(0, SAMPLE)) {
    if (!isRecord(value)) continue;
    for (const [name, held] of Object.entries(value))
      if (!columns.get(name))
        columns.set(name, held === null || held === undefined ? '' : excerpt(textOf(held)));
  }
  return [...columns].map(([name, example]) => ({ name, example }));
}

function textOf(value: unknown): string {
  return typeof value === 'string'
    ? value
    : (JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)) ??
        '');
}
