/** JSON objects, one a line, or an array of them; also the sole array within one object, as some exports wrap it. */
import { excerpt, wholeFile, type Records } from './records.ts';
import { NOT_UTF8, textLines, wholeText } from './textLines.ts';

export async function parseJson(file: Blob): Promise<Records> {
  const found: Records = { unit: 'line', records: [], problems: [] };
  let line = 0;
  for await (const { text, isUtf8 } of textLines(file)) {
    line++;
    if (text.trim() === '') continue;
    const isFirst = found.records.length + found.problems.length === 0;
    if (isFirst && text.trimStart().startsWith('[')) return parseArray(file);
    const report = (reason: string) =>
      found.problems.push({ line, unit: 'line', reason, excerpt: excerpt(text) });
    if (!isUtf8) {
      report(NOT_UTF8);
      continue;
    }
    try {
      found.records.push({ line, value: JSON.parse(text) as unknown });
    } catch {
      // An object over several lines begins so.
      const wrapped = isFirst && text.trimStart().startsWith('{') ? await parseWrapped(file) : null;
      if (wrapped) return wrapped;
      report(notJson(text));
    }
  }
  // A whole data set as one object on one line.
  if (found.records.length === 1 && found.problems.length === 0)
    return unwrapped(found.records[0].value) ?? found;
  return found;
}

/** Why a line is no JSON, as far as can be told. */
function notJson(text: string): string {
  if (text.startsWith('\ufeff'))
    return 'begins with a byte order mark in the middle of the file, as files have it that were put one behind the other. Remove that mark.';
  const bare = notANumber(text);
  if (bare) return bare;
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
    return rowsOf(JSON.parse(text) as unknown[]);
  } catch (error) {
    const { line, around } = placeOf(error, text);
    const reason =
      notANumber(around) ??
      'the JSON array does not parse here. Check commas, quotation marks and the closing bracket, or write one object a line.';
    return { unit: 'row', records: [], problems: [{ line, unit: 'line', reason, excerpt: excerpt(around) }] };
  }
}

/** A file that is one object: its only array of objects, else itself as the only row. Null where it is not JSON. */
async function parseWrapped(file: Blob): Promise<Records | null> {
  let value: unknown;
  try {
    value = JSON.parse((await wholeText(file)).text);
  } catch {
    return null;
  }
  return unwrapped(value) ?? rowsOf([value]);
}

/** The only array of objects within one object that is no row itself; null where there is none. */
function unwrapped(value: unknown): Records | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const arrays = Object.values(value).filter(
    (inner): inner is unknown[] =>
      Array.isArray(inner) &&
      inner.length > 0 &&
      inner.every((item) => typeof item === 'object' && item !== null && !Array.isArray(item)),
  );
  const isRow = ROW_KEYS.some((key) => key in value);
  if (isRow || arrays.length === 0) return null;
  return arrays.length === 1
    ? rowsOf(arrays[0])
    : wholeFile(
        'the file is an object with several lists. Keep one of them as an array, or write one object a line.',
      );
}

/** Keys that an object with lists in it has where it is a row. */
const ROW_KEYS = ['messages', 'conversations', 'prompt', 'chosen', 'rejected', 'completion', 'instruction'];

function rowsOf(values: readonly unknown[]): Records {
  return { unit: 'row', records: values.map((value, i) => ({ line: i + 1, value })), problems: [] };
}

/** Where a parser says it failed; engines word it differently. */
function placeOf(error: unknown, text: string): { line: number; around: string } {
  const message = error instanceof Error ? error.message : '';
  const named = Number(/line (\d+)/.exec(message)?.[1] ?? 0);
  const position = Number(/position (\d+)/.exec(message)?.[1] ?? text.length);
  const line = named || text.slice(0, position).split('\n').length;
  return { line, around: text.split('\n')[line - 1]?.trim() ?? '' };
}
