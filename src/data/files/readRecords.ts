/**
 * A data file as records, whatever it is written in: a JSON object a line, a JSON array, CSV or TSV, Parquet,
 * plain text. What a record means is decided in rows/rowFormats.ts. Nothing here throws for bad content:
 * every bad record is a problem with its place and what to do.
 */
import { parseCsv } from './csv.ts';
import { openJson } from './json.ts';
import { NOT_UTF8, wholeText } from './textLines.ts';
import { keptRecords, wholeFile, type RecordSource, type Records } from './records.ts';

export async function openRecords(file: Blob, name: string): Promise<RecordSource> {
  const kept = await readOther(file, name);
  return kept ? keptRecords(kept) : openJson(file);
}

/** A file that is anything but JSON, read at once; null for JSON. */
async function readOther(file: Blob, name: string): Promise<Records | null> {
  const head = new Uint8Array(await file.slice(0, 4096).arrayBuffer());
  const begins = (...bytes: number[]) => bytes.every((byte, i) => head[i] === byte);
  if (begins(0x50, 0x41, 0x52, 0x31)) return (await import('./parquet.ts')).readParquet(file);
  if (/\.parquet$/i.test(name))
    return wholeFile('is not a Parquet file, whatever its name says. Download it again.');
  if (begins(0xff, 0xfe) || begins(0xfe, 0xff) || isUtf16(head))
    return wholeFile('the file is UTF-16 or UTF-32 text. Save it as UTF-8.');
  if (begins(0x1f, 0x8b) || begins(0x50, 0x4b))
    return wholeFile('the file is compressed. Unpack it and drop what was inside.');
  if (head.includes(0))
    return wholeFile(
      'the file is not text: it has zero bytes. Drop JSON lines, a JSON array, CSV or Parquet.',
    );
  if (/\.(csv|tsv)$/i.test(name)) return parseCsv(file, name);
  return /\.(txt|md)$/i.test(name) && !BEGINS_AS_JSON.test(new TextDecoder().decode(head))
    ? parsePlainText(file)
    : null;
}

/** How a list of rows, or a row, begins; a text may well begin with a bracket. */
const BEGINS_AS_JSON = /^\ufeff?\s*(\[\s*[[{]|\{\s*["'])/;

/** Text of two bytes a character without a mark: every other byte of its beginning is zero. */
function isUtf16(head: Uint8Array): boolean {
  const zeros = [0, 0];
  head.subarray(0, 64).forEach((byte, i) => (zeros[i % 2]! += byte === 0 ? 1 : 0));
  const [even = 0, odd = 0] = zeros;
  return Math.max(even, odd) > 8 && Math.min(even, odd) === 0;
}

/** A file of text as one row, learned from as a whole. */
async function parsePlainText(file: Blob): Promise<Records> {
  const { text, badLine } = await wholeText(file);
  if (badLine !== null)
    return {
      unit: 'line',
      records: [],
      problems: [{ line: badLine, unit: 'line', reason: NOT_UTF8, excerpt: '' }],
    };
  return { unit: 'line', records: text.trim() === '' ? [] : [{ line: 1, value: { text } }], problems: [] };
}
