/** The text of a file line by line, each with whether its bytes are UTF-8. */
import { concatenated } from '../../lib/concatenated.ts';

export const NOT_UTF8 =
  'has bytes that are not UTF-8 text (a file saved as Windows-1252 or Latin-1 has them). Save the file as UTF-8.';

export interface TextLine {
  /** Without end of line and byte order mark; where it is not UTF-8, what can be read of it. */
  text: string;
  isUtf8: boolean;
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
/** Bytes in which the first end of a line is looked for. */
const BEGINNING = 65_536;
const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const LENIENT = new TextDecoder('utf-8', { ignoreBOM: true });

/** The byte that ends a file's lines: a line feed, or in files of old Macs a carriage return alone. */
export async function lineEndOf(file: Blob): Promise<number> {
  const head = new Uint8Array(await file.slice(0, BEGINNING).arrayBuffer());
  return head.includes(LINE_FEED) || !head.includes(CARRIAGE_RETURN) ? LINE_FEED : CARRIAGE_RETURN;
}

export async function* textLines(file: Blob): AsyncGenerator<TextLine> {
  const lineEnd = await lineEndOf(file);
  const reader = file.stream().getReader();
  let rest: Uint8Array[] = [];
  let isFirst = true;
  const take = (last: Uint8Array): TextLine => {
    const bytes = rest.length === 0 ? last : concatenated([...rest, last]);
    rest = [];
    const line = decoded(bytes, isFirst);
    isFirst = false;
    return line;
  };
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      let begin = 0;
      for (let end = value.indexOf(lineEnd); end >= 0; end = value.indexOf(lineEnd, begin)) {
        yield take(value.subarray(begin, end));
        begin = end + 1;
      }
      if (begin < value.length) rest.push(value.slice(begin));
    }
    if (rest.length > 0) yield take(new Uint8Array());
  } finally {
    // A reader that stops early leaves the rest of the file unread.
    await reader.cancel();
  }
}

/** The whole text, lines with a carriage return included. `badLine`: the first that is not UTF-8. */
export async function wholeText(file: Blob): Promise<{ text: string; badLine: number | null }> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), badLine: null };
  } catch {
    // Expected of other encodings: the caller reports the line.
    let badLine = 0;
    for await (const { isUtf8 } of textLines(file)) {
      badLine++;
      if (!isUtf8) break;
    }
    return { text: new TextDecoder('utf-8').decode(bytes), badLine };
  }
}

function decoded(bytes: Uint8Array, isFirst: boolean): TextLine {
  const clean = (text: string) => (isFirst ? text.replace(/^\ufeff/, '') : text).replace(/\r$/, '');
  try {
    return { text: clean(STRICT.decode(bytes)), isUtf8: true };
  } catch {
    // Expected of other encodings: the caller reports the line.
    return { text: clean(LENIENT.decode(bytes)), isUtf8: false };
  }
}
