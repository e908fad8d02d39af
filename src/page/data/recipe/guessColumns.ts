/** A first guess at what the columns of an unknown file are, by their names; the person decides. */
import type { Column } from '../../../data/rows/parseRows.ts';
import type { ColumnMapping } from '../../../data/rows/rowFormats.ts';

const PROMPTS = /^(question|prompt|query|instruction|input|user|human|problem|source|context|ask)/i;
const ANSWERS =
  /^(answer|response|output|completion|assistant|reply|solution|target|label|summary|gpt|chosen)/i;
const SYSTEMS = /^system/i;
const TURNS = /^(messages?|conversations?|chat|dialogu?e?|turns)$/i;
const TEXTS = /^(text|content|body|document)$/i;

export function guessColumns(columns: readonly Column[]): ColumnMapping {
  const find = (pattern: RegExp) => columns.find(({ name }) => pattern.test(name.trim()))?.name;
  const [prompt, response, system] = [find(PROMPTS), find(ANSWERS), find(SYSTEMS)];
  if (prompt !== undefined && response !== undefined)
    return { prompt, response, ...(system === undefined ? {} : { system }) };
  const messages = find(TURNS);
  if (messages !== undefined) return { messages };
  const text = find(TEXTS) ?? (columns.length === 1 ? columns[0].name : undefined);
  return text === undefined || prompt !== undefined || response !== undefined
    ? { prompt, response, system }
    : { text };
}
