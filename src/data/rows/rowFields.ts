/** What rows of several formats have in common: texts, lists of turns, a question with its answer. */
import type { ChatMessage } from '../template/chatMessage.ts';
import type { Conversation, RowContent } from './conversation.ts';
import { parseExactJson } from '../files/exactJson.ts';
import { readTurns, type Turns } from './turns.ts';

export type Fields = Readonly<Record<string, unknown>>;

export interface Format {
  name: string;
  /** Keys that every row must have. */
  keys: readonly string[];
  /** Further keys that are read where a row has them. */
  optional: readonly string[];
  /** @returns the row, or what is wrong with it, as a sentence that follows "line 3" */
  read(fields: Fields): RowContent | string;
}

/** The text of a field; what is wrong with it where it has none. */
export function textField(fields: Fields, key: string): string | { fault: string } {
  const value = fields[key];
  if (typeof value === 'string') return value;
  return {
    fault:
      value === null
        ? `has a "${key}" that is null. Write its text, or remove the row.`
        : `has a "${key}" that is not text. Write it in quotation marks.`,
  };
}

/**
 * A list of turns, also where a table holds it as JSON text. A text that is JSON for anything else is a text.
 * @returns what is wrong with it where it is no list of turns
 */
export function turnsOf(value: unknown, key: string): Turns | string {
  return readTurns(listOf(value), key);
}

function listOf(value: unknown): unknown {
  if (typeof value !== 'string' || !value.trimStart().startsWith('[')) return value;
  let parsed: unknown;
  try {
    parsed = parseExactJson(value);
  } catch {
    // Expected: the text is not JSON, so it is the value itself.
    return value;
  }
  const isTurn = (turn: unknown) =>
    typeof turn === 'object' && turn !== null && ('role' in turn || 'from' in turn);
  return Array.isArray(parsed) && parsed.length > 0 && parsed.every(isTurn) ? parsed : value;
}

/** Puts a row's system message first, unless its turns begin with one. */
export function withSystem(system: string | null, turns: readonly ChatMessage[]): ChatMessage[] {
  return system === null || turns[0]?.role === 'system'
    ? [...turns]
    : [{ role: 'system', content: system }, ...turns];
}

export function pair(
  fields: Fields,
  promptKey: string,
  answerKey: string,
  system: string | null,
): Conversation | string {
  const prompt = textField(fields, promptKey);
  if (typeof prompt !== 'string') return prompt.fault;
  const answer = textField(fields, answerKey);
  if (typeof answer !== 'string') return answer.fault;
  if (answer.trim() === '')
    return `has an empty "${answerKey}": there is nothing to learn. Write an answer or remove the row.`;
  const messages = withSystem(system, [
    { role: 'user', content: prompt },
    { role: 'assistant', content: answer },
  ]);
  return { kind: 'chat', messages, answersFrom: messages.length - 1 };
}
