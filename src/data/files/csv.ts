/**
 * Tables as text, by papaparse: the first row names the columns; comma, semicolon, tab or bar between them.
 */
import Papa from 'papaparse';
import { excerpt, wholeFile, type Records } from './records.ts';
import { NOT_UTF8, wholeText } from './textLines.ts';

const FFFD = '\ufffd';

const DELIMITERS = [',', ';', '\t', '|'];

/** What stands between the cells and between the rows of a table. */
export interface TableShape {
  delimiter: string;
  newline: '\n' | '\r';
}

/**
 * The first row decides, as it has names alone: what stands between them is the delimiter. Of several
 * candidates papaparse guesses by the first rows. A line feed ends a row whether a carriage return stands
 * before it or not: `rowCells` takes that off.
 */
export function tableShape(text: string, name: string): TableShape {
  const counts = new Map<string, number>();
  let isQuoted = false;
  let at = 0;
  for (; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (character === '\n' || character === '\r') break;
    else if (DELIMITERS.includes(character)) counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  const newline = text[at] === '\r' && text[at + 1] !== '\n' ? '\r' : '\n';
  if (/\.tsv$/i.test(name) && counts.has('\t')) return { delimiter: '\t', newline };
  const [only, ...others] = counts.keys();
  if (only === undefined || others.length === 0) return { delimiter: only ?? ',', newline };
  const { meta } = Papa.parse(text, {
    delimitersToGuess: DELIMITERS.filter((candidate) => counts.has(candidate)),
    newline,
    preview: 100,
    skipEmptyLines: 'greedy',
  });
  return { delimiter: meta.delimiter, newline };
}

/** The cells of a row as papaparse gives them, without the carriage return at its end. */
export function rowCells(cells: readonly string[]): string[] {
  const last = cells.length - 1;
  return cells.map((cell, i) => (i === last ? cell.replace(/\r$/, '') : cell));
}

export async function parseCsv(file: Blob, name: string): Promise<Records> {
  const { text, badLine } = await wholeText(file);
  const separator = /^"?sep=.?"?\s*$/im.exec(text.slice(0, 16))?.[0];
  if (separator !== undefined && text.startsWith(separator))
    return wholeFile(
      `the first line is ${JSON.stringify(separator.trim())}, a note for Excel, where the names of the columns must stand. Remove that line.`,
    );
  const { data: rows, errors } = Papa.parse<string[]>(text, tableShape(text, name));
  const data = rows.map(rowCells);
  const isBlank = (row: readonly string[]) => row.every((cell) => cell.trim() === '');
  const header = data[0]?.map((name) => name.trim()) ?? [];
  if (isBlank(header))
    return data.length > 1
      ? wholeFile('the first row has no column names. Write them there, for example query,response.')
      : { unit: 'row', records: [], problems: [] };
  const twin = firstTwin(header);
  if (twin !== undefined)
    return wholeFile(
      twin === ''
        ? 'several columns have no name. Name each in the first row.'
        : `two columns are called "${twin}". Rename one of them.`,
    );
  const found: Records = { unit: 'row', records: [], problems: [] };
  // The first error of a row is what is wrong; later ones follow from it.
  const quotes = new Map(
    errors
      .filter(({ type }) => type === 'Quotes')
      .map((error) => [error.row ?? 0, error.code] as const)
      .reverse(),
  );
  data.forEach((cells, i) => {
    if (i === 0 || isBlank(cells)) return;
    const reason = fault(cells, header, quotes.get(i), badLine !== null);
    if (reason)
      found.problems.push({ line: i + 1, unit: 'row', reason, excerpt: excerpt(cells.join(' | ')) });
    else
      found.records.push({
        line: i + 1,
        value: Object.fromEntries(header.map((name, column) => [name, cells[column]])),
      });
  });
  return found;
}

function fault(
  cells: readonly string[],
  header: readonly string[],
  quote: string | undefined,
  hasBadBytes: boolean,
): string | null {
  if (hasBadBytes && cells.some((cell) => cell.includes(FFFD))) return NOT_UTF8;
  if (quote === 'MissingQuotes')
    return 'opens a quotation mark that is never closed: the rest of the file is in it. Close it, and double quotation marks inside a text.';
  if (quote) return 'has a quotation mark in the middle of a quoted text. Double it: "".';
  if (cells.length !== header.length)
    return `has ${cells.length} ${cells.length === 1 ? 'column' : 'columns'} where the first row names ${header.length}. Put texts with commas, semicolons or line ends in quotation marks.`;
  return null;
}

/** The first text that is there a second time. */
function firstTwin(texts: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const text of texts) {
    if (seen.has(text)) return text;
    seen.add(text);
  }
  return undefined;
}
