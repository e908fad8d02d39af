/**
 * JSON objects, one a line, or an array of them; also the sole array within one object, as some exports wrap
 * it.
 */
import {
  excerpt,
  keptRecords,
  wholeFile,
  type BrokenRecord,
  type DataRecord,
  type RecordSource,
  type Records,
} from './records.ts';
import { isNestedDeeper } from './nesting.ts';
import { parseExactJson } from './exactJson.ts';
import { NOT_UTF8, textLines, wholeText, type TextLine } from './textLines.ts';

/** Lines are parsed each time that they are read; anything else is parsed at once and kept. */
export async function openJson(file: Blob): Promise<RecordSource> {
  const [first, second] = await firstLines(file, 2);
  const begin = first?.text.trimStart() ?? '';
  // Lists one a line are lines.
  const isList = begin.startsWith('[') && !(second && Array.isArray(parsed(begin)));
  if (isList) return keptRecords(await parseArray(file));
  if (first?.isUtf8 && begin.startsWith('{')) {
    const value = parsed(first.text);
    // An object over several lines begins with a line that is not JSON.
    const whole = value === undefined ? await parseWrapped(file) : null;
    // A whole data set as one object on one line.
    const inside = value !== undefined && !second ? unwrapped(value) : null;
    if (whole ?? inside) return keptRecords((whole ?? inside)!);
    if (value === undefined && begin.trim() === '{') return keptRecords(wholeFile(OVER_LINES));
  }
  return { unit: 'line', read: () => jsonLines(file) };
}

const OVER_LINES =
  'the file has objects that stand over several lines each, without a list around them, as jq prints them. Write one object a line (jq -c), or put [ and ] around them and commas between them.';

async function* jsonLines(file: Blob): AsyncGenerator<DataRecord | BrokenRecord> {
  let line = 0;
  for await (const { text, isUtf8 } of textLines(file)) {
    line++;
    if (text.trim() === '') continue;
    const value = isUtf8 ? parsed(text) : undefined;
    if (isNestedDeeper(value, DEEPEST))
      yield { line, unit: 'line', reason: TOO_DEEP, excerpt: excerpt(text) };
    else
      yield value === undefined
        ? { line, unit: 'line', reason: isUtf8 ? notJson(text) : NOT_UTF8, excerpt: excerpt(text) }
        : { line, value };
  }
}

/** undefined, which JSON does not have, where a text is not JSON. */
function parsed(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    // The caller reports the line.
    return undefined;
  }
}

/** The first lines that are not blank. */
async function firstLines(file: Blob, count: number): Promise<TextLine[]> {
  const found: TextLine[] = [];
  for await (const line of textLines(file)) {
    if (line.text.trim() !== '') found.push(line);
    if (found.length === count) break;
  }
  return found;
}

/** Why a line is not JSON, where the cause is a known one. */
function notJson(text: string): string {
  if (text.startsWith('\ufeff'))
    return 'begins with a byte order mark in the middle of the file, as files have it that were put one behind the other. Remove that mark.';
  const bare = notANumber(text);
  if (bare) return bare;
  if (/,\s*$/.test(text) && parsed(text.trimEnd().slice(0, -1)) !== undefined)
    return 'is not JSON: it ends with a comma, as rows of a list do. Remove the comma, or put [ and ] around all rows.';
  if (/^\s*\{\s*'/.test(text))
    return 'is not JSON: its texts are in single quotation marks, as Python prints a dict. Write it with json.dumps.';
  return 'is not JSON. Write one {"query": "…", "response": "…"} object a line; check commas, quotation marks and brackets.';
}

/** What is wrong where a number is one that JSON does not have; null where none is. */
function notANumber(text: string): string | null {
  const found = /(?<=[:,[]\s*)-?(NaN|Infinity)(?=\s*[,}\]])/.exec(text)?.[0];
  return found
    ? `is not JSON: it has ${found}, which Python writes but JSON does not know. Write null or a number, or remove the key.`
    : null;
}

async function parseArray(file: Blob): Promise<Records> {
  const { text, badLine } = await wholeText(file);
  if (badLine !== null)
    return {
      unit: 'row',
      records: [],
      problems: [{ line: badLine, unit: 'line', reason: NOT_UTF8, excerpt: '' }],
    };
  try {
    return rowsOf(parseExactJson(text) as unknown[]);
  } catch (error) {
    const { line, around } = placeOf(error, text);
    const reason =
      notANumber(around) ??
      'the JSON array does not parse here. Check commas, quotation marks and the closing bracket, or write one object a line.';
    return { unit: 'row', records: [], problems: [{ line, unit: 'line', reason, excerpt: excerpt(around) }] };
  }
}

/**
 * A file that is one object: its only array of objects, else itself as the only row. Null where it is not
 * JSON.
 */
async function parseWrapped(file: Blob): Promise<Records | null> {
  let value: unknown;
  try {
    value = parseExactJson((await wholeText(file)).text);
  } catch {
    // Expected: the file is one object a line, and the caller reports a bad line.
    return null;
  }
  return unwrapped(value) ?? rowsOf([value]);
}

/** The only array of objects within one object that is no row itself; null where there is none. */
function unwrapped(value: unknown): Records | null {
  if (!isObject(value)) return null;
  const columns = rowsOfColumns(value);
  if (columns) return rowsOf(columns);
  const arrays = Object.values(value).filter(
    (inner): inner is unknown[] =>
      Array.isArray(inner) && inner.length > 0 && inner.every(isObject) && !inner.every(isTurn),
  );
  const isRow = ROW_KEYS.some((key) => key in value);
  const [rows, ...others] = arrays;
  if (isRow || rows === undefined) return null;
  return others.length === 0
    ? rowsOf(rows)
    : wholeFile(
        'the file is an object with several lists. Keep one of them as an array, or write one object a line.',
      );
}

/**
 * A table that is written by its columns, as pandas' to_json does it ({"query": {"0": …, "1": …}, …}) or with
 * lists ({"query": ["…", "…"], …}). @returns its rows; null where the object is none
 */
function rowsOfColumns(value: Readonly<Record<string, unknown>>): unknown[] | null {
  const names = Object.keys(value);
  const cells = Object.values(value).map((column) =>
    Array.isArray(column) ? column : isObject(column) && isNumbered(column) ? Object.values(column) : null,
  );
  const count = cells[0]?.length ?? 0;
  const isTable =
    names.length > 1 &&
    count > 0 &&
    cells.every((column) => column?.length === count) &&
    !cells.some((column) => column?.some(isTurn)) &&
    // Lists of objects are rows, or turns, by themselves.
    !Object.values(value).some((column) => Array.isArray(column) && column.some(isObject));
  if (!isTable) return null;
  return Array.from({ length: count }, (_, row) =>
    Object.fromEntries(names.map((name, column) => [name, cells[column]![row]])),
  );
}

/** Whether an object's keys are the numbers of rows. */
function isNumbered(value: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(value).every((key, i) => key === String(i));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTurn(value: unknown): boolean {
  return isObject(value) && ('role' in value || 'from' in value);
}

/** Keys that an object with lists in it has where it is a row. */
const ROW_KEYS = ['messages', 'conversations', 'prompt', 'chosen', 'rejected', 'completion', 'instruction'];

function rowsOf(values: readonly unknown[]): Records {
  const found: Records = { unit: 'row', records: [], problems: [] };
  values.forEach((value, i) => {
    const line = i + 1;
    if (isNestedDeeper(value, DEEPEST))
      found.problems.push({ line, unit: 'row', reason: TOO_DEEP, excerpt: '' });
    else found.records.push({ line, value });
  });
  return found;
}

/** No data set nests further; what reads rows calls itself once a level. */
const DEEPEST = 100;
const TOO_DEEP = `is nested more than ${DEEPEST} levels deep. Remove the nested lists and objects, or write the row again.`;

/** Where a parser says it failed; engines word it differently. */
function placeOf(error: unknown, text: string): { line: number; around: string } {
  const message = error instanceof Error ? error.message : '';
  const named = Number(/line (\d+)/.exec(message)?.[1] ?? 0);
  const position = Number(/position (\d+)/.exec(message)?.[1] ?? text.length);
  const line = named || text.slice(0, position).split('\n').length;
  return { line, around: text.split('\n')[line - 1]?.trim() ?? '' };
}
