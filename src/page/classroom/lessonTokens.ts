/** Parses a lesson's Markdown, which somebody else wrote, within bounds. */
import type { Token } from 'marked';
import { report } from '../../lib/errorLog.ts';

/** Characters of a lesson. */
const MOST_CHARACTERS = 100_000;
/** Of lines without an empty one between them: some patterns take the square of their length. */
const MOST_IN_BLOCK = 4000;
/** Quotes and lists inside one another. */
const MOST_DEPTH = 20;

/** @returns null where it is beyond the bounds or cannot be parsed: it is then shown as it was written */
export async function lessonTokens(markdown: string): Promise<Token[] | null> {
  if (markdown.length > MOST_CHARACTERS) return null;
  const blocks = markdown.split(/\n[ \t]*\n/);
  const isDeep = (line: string) =>
    (/^[ \t>*+-]*/.exec(line)![0].match(/[>*+-]/g) ?? []).length > MOST_DEPTH || /^[ \t]{80}/.test(line);
  if (blocks.some(({ length }) => length > MOST_IN_BLOCK) || markdown.split('\n').some(isDeep)) return null;
  const { lexer } = await import('marked');
  try {
    return lexer(markdown, { gfm: true });
  } catch (error) {
    report(error, 'reading a lesson');
    return null;
  }
}
