/**
 * One row of a JSON array or of a table as text, to be shown, put right or taken out. All other characters
 * stay what they are.
 */
import Papa from 'papaparse';
import { UserError } from '../../lib/errors.ts';
import { tableShape } from './csv.ts';
import { memberKey, membersOf, type Member } from './jsonMembers.ts';
import { wholeText } from './textLines.ts';

interface RowPlace {
  /** Of the whole file, without a byte order mark. */
  text: string;
  hasMark: boolean;
  /** Offsets of the row in the text. */
  begin: number;
  end: number;
  /** What goes where the row is taken out: the row with its comma or its end of line. */
  cut: { begin: number; end: number };
  /** @throws UserError where a text cannot take the row's place */
  check: (text: string) => void;
}

/** @param row as problems name it: 1-based; of a table the header is row 1 @throws UserError */
export async function rowText(file: Blob, name: string, row: number): Promise<string> {
  const { text, begin, end } = await placeOf(file, name, row);
  return text.slice(begin, end);
}

/**
 * @param text what stands there instead; null takes the row out
 * @throws UserError where the text is no row, or the file has no such row
 */
export async function mendRow(file: Blob, name: string, row: number, text: string | null): Promise<Blob> {
  const place = await placeOf(file, name, row);
  if (text !== null) place.check(text);
  const { begin, end } = text === null ? place.cut : place;
  return new Blob([
    ...(place.hasMark ? ['\ufeff'] : []),
    place.text.slice(0, begin),
    text ?? '',
    place.text.slice(end),
  ]);
}

async function placeOf(file: Blob, name: string, row: number): Promise<RowPlace> {
  const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  if (/\.parquet$/i.test(name) || (head[0] === 0x50 && head[1] === 0x41 && head[2] === 0x52))
    throw new UserError(
      `Rows of a Parquet file cannot be edited here. Convert ${name} to JSON lines (in Python: datasets' to_json, or pandas' to_json(orient="records", lines=True)), mend it and drop it again, or train without the bad rows.`,
    );
  const { text, badLine } = await wholeText(file);
  if (badLine !== null)
    throw new UserError(
      `Line ${badLine} of ${name} is not UTF-8 text. Save the file as UTF-8, and drop it again.`,
    );
  const hasMark = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
  const found = /\.(csv|tsv)$/i.test(name) ? tableRow(text, name, row) : arrayRow(text, row);
  if (!found) throw new UserError(`The file has no row ${row}. Drop it again.`);
  return { text, hasMark, ...found };
}

type Found = Pick<RowPlace, 'begin' | 'end' | 'cut' | 'check'>;

/** Row 1 of a file that is one object alone is the object. */
function arrayRow(text: string, row: number): Found | null {
  const start = text.search(/\S/);
  const rows = text[start] === '[' ? membersOf(text, start) : wrappedRows(text, start);
  const member = rows ? rows[row - 1] : row === 1 ? { begin: start, end: text.trimEnd().length } : null;
  if (!member) return null;
  const [before, after] = [rows?.[row - 2], rows?.[row]];
  const cut = after
    ? { begin: member.begin, end: after.begin }
    : { begin: before?.end ?? member.begin, end: member.end };
  return { ...member, cut, check: checkJson };
}

/** The rows of a file whose only list of objects lies within one object; null where there is none. */
function wrappedRows(text: string, start: number): Member[] | null {
  const lists = membersOf(text, start).filter(
    (member) =>
      memberKey(text, member) !== null && /^\[\s*\{/.test(text.slice(member.begin, member.begin + 200)),
  );
  const [list] = lists;
  return list ? membersOf(text, list.begin) : null;
}

function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new UserError(
      'This is not JSON. Write one {"query": "…", "response": "…"} object; check commas, quotation marks and brackets.',
      { cause },
    );
  }
}

function tableRow(text: string, name: string, row: number): Found | null {
  let [count, columns, begin, end] = [0, 0, 0, -1];
  const shape = tableShape(text, name);
  const { delimiter } = shape;
  Papa.parse<string[]>(text, {
    ...shape,
    step({ data, meta }, parser) {
      count++;
      if (count === 1) columns = data.length;
      if (count < row) begin = meta.cursor;
      else {
        end = meta.cursor;
        parser.abort();
      }
    },
  });
  if (end < 0) return null;
  const line = text.slice(begin, end);
  const content = line.replace(/(\r?\n|\r)$/, '');
  return {
    begin,
    end: begin + content.length,
    cut: { begin, end },
    check: (given) => {
      const { data, errors } = Papa.parse<string[]>(given, { delimiter });
      if (data.length !== 1 || data[0]?.length !== columns || errors.some(({ type }) => type === 'Quotes'))
        throw new UserError(
          `This is not one row of ${columns} columns. Put texts with ${JSON.stringify(delimiter)}, quotation marks or line ends in quotation marks, and double those inside.`,
        );
    },
  };
}
