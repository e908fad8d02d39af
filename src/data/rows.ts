/** Reading training rows: one JSON object a line with `query` and `response`, or a JSON array of such objects. */

export interface Row {
  query: string;
  response: string;
  /** 1-based line, or place in a JSON array. */
  line: number;
}

/** A row that will not be trained, and why. */
export interface RowProblem {
  file: string;
  line: number;
  /** `limit`: a sound row that max_length leaves nothing of; `bad`: the row itself must be mended or left out. */
  kind: 'bad' | 'limit';
  reason: string;
  /** The beginning of what stands there. */
  excerpt: string;
}

export interface ParsedRows {
  rows: Row[];
  problems: RowProblem[];
}

const EXCERPT = 80;

/** Parses a whole file. Never throws for bad content: every bad line is a problem with its number and what to do. */
export async function parseRows(file: Blob, name: string): Promise<ParsedRows> {
  const rows: Row[] = [];
  const problems: RowProblem[] = [];
  const report = (line: number, reason: string, text: string) =>
    problems.push({ file: name, line, kind: 'bad', reason, excerpt: text.length > EXCERPT ? `${text.slice(0, EXCERPT)}…` : text });
  let array = '';
  let isArray = false;
  let number = 0;
  let started = false;
  for await (const line of lines(file)) {
    number++;
    if (!started && line.trim() !== '') {
      started = true;
      isArray = line.trimStart().startsWith('[');
    }
    if (isArray) {
      array += `${line}\n`;
      continue;
    }
    if (line.trim() === '') continue;
    if (line.includes('\ufffd')) {
      report(number, 'has bytes that are not UTF-8 text. Save the file as UTF-8.', line);
      continue;
    }
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      report(number, 'is not JSON. Write one {"query": "…", "response": "…"} object a line.', line);
      continue;
    }
    take(value, number, line);
  }
  if (isArray) {
    try {
      const values = JSON.parse(array) as unknown[];
      values.forEach((value, i) => take(value, i + 1, JSON.stringify(value)));
    } catch {
      report(1, 'begins a JSON array that does not parse. Check its commas and closing bracket, or write one object a line.', array.trim());
    }
  }
  if (rows.length === 0 && problems.length === 0) report(1, 'the file is empty. Write one {"query": "…", "response": "…"} object a line.', '');
  return { rows, problems };

  function take(value: unknown, line: number, text: string): void {
    const reason = rowFault(value);
    if (reason) report(line, reason, text);
    else rows.push({ query: (value as Row).query, response: (value as Row).response, line });
  }
}

function rowFault(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is not a JSON object. Write {"query": "…", "response": "…"}.';
  const row = value as Record<string, unknown>;
  for (const key of ['query', 'response']) {
    if (!(key in row))
      return `has no "${key}"; its keys are ${
        Object.keys(row)
          .map((found) => `"${found}"`)
          .join(', ') || 'none'
      }. Rename them to "query" and "response".`;
    if (typeof row[key] !== 'string') return `has a "${key}" that is not text. Write it in quotation marks.`;
  }
  if ((row.response as string).trim() === '') return 'has an empty "response": there is nothing to learn. Write an answer or remove the line.';
  return null;
}

/** Lines of a file as it streams, without ends of line and byte order mark. Bytes that are no UTF-8 become U+FFFD. */
async function* lines(file: Blob): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8');
  const reader = file.stream().getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
    const parts = rest.split('\n');
    rest = done ? '' : parts.pop()!;
    for (const part of parts) yield part.endsWith('\r') ? part.slice(0, -1) : part;
    if (done) return;
  }
}
