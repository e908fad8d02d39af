/** One line of a file of JSON lines, to be shown, put right or taken out. The rest is copied byte by byte. */
import { UserError } from '../../lib/errors.ts';
import { lineEndOf } from './textLines.ts';

/** Where a line lies, in bytes, without its end. @throws UserError where the file has no such line */
async function placeOf(file: Blob, line: number): Promise<{ begin: number; end: number }> {
  const lineEnd = await lineEndOf(file);
  const reader = file.stream().getReader();
  let [at, begin, found] = [0, 0, 1];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      for (let i = value.indexOf(lineEnd); i >= 0; i = value.indexOf(lineEnd, i + 1)) {
        if (found === line) return { begin, end: at + i };
        begin = at + i + 1;
        found++;
      }
      at += value.length;
    }
  } finally {
    await reader.cancel();
  }
  if (found === line && begin < at) return { begin, end: at };
  throw new UserError(`The file has no line ${line}. Drop it again.`);
}

/** @throws UserError where the file has no such line */
export async function lineText(file: Blob, line: number): Promise<string> {
  const { begin, end } = await placeOf(file, line);
  return (await file.slice(begin, end).text()).replace(/\r$/, '');
}

/**
 * @param text what stands there instead; null takes the line out
 * @throws UserError where the text is not one line, or the file has no such line
 */
export async function mendLine(file: Blob, line: number, text: string | null): Promise<Blob> {
  const { begin, end } = await placeOf(file, line);
  if (text === null) return new Blob([file.slice(0, begin), file.slice(Math.min(file.size, end + 1))]);
  if (/[\r\n]/.test(text))
    throw new UserError('A row of this file is one line. Write line ends inside its texts as \\n.');
  return new Blob([file.slice(0, begin), text, file.slice(end)]);
}
