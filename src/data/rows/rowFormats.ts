/** The formats that rows come in, recognised by their keys; each turns a record into a row or says what is wrong with it. */
import type { ChatMessage } from '../template/chatTemplate.ts';
import { conversationFault, readTurns, type Conversation, type RawText } from './conversation.ts';

type Fields = Readonly<Record<string, unknown>>;
type Content = Conversation | RawText;

export interface Format {
  name: string;
  /** Keys that every row must have. */
  keys: readonly string[];
  /** @returns the row, or what is wrong with it, as a sentence that follows "line 3" */
  read(fields: Fields): Content | string;
}

/** Columns by what they are, for files in no known format: names as LLaMA-Factory's dataset_info.json has them. */
export interface ColumnMapping {
  prompt?: string;
  response?: string;
  system?: string;
  /** Instead of prompt and response: a list of turns, {role, content} or {from, value}. */
  messages?: string;
  /** Instead of all others: learned from as a whole. */
  text?: string;
}

/** In order: a file that has the keys of several is in the first. */
export const FORMATS: readonly Format[] = [
  {
    name: 'messages',
    keys: ['messages'],
    read: (fields) => conversation(fields, 'messages', systemOf(fields)),
  },
  {
    name: 'ShareGPT',
    keys: ['conversations'],
    read: (fields) => conversation(fields, 'conversations', systemOf(fields)),
  },
  {
    name: 'query/response',
    keys: ['query', 'response'],
    read: (fields) => pair(fields, 'query', 'response', systemOf(fields)),
  },
  { name: 'prompt/completion', keys: ['prompt', 'completion'], read: promptCompletion },
  { name: 'Alpaca', keys: ['instruction', 'output'], read: alpaca },
  { name: 'raw text', keys: ['text'], read: (fields) => rawText(fields, 'text') },
];

/** The format most of these records are in; null where none is in any. */
export function recogniseFormat(values: readonly unknown[]): Format | null {
  const counts = FORMATS.map(
    (format) => values.filter((value) => isRecord(value) && format.keys.every((key) => key in value)).length,
  );
  // A file is in the first of the formats that the most of its rows have.
  const most = Math.max(...counts);
  return most > 0 ? FORMATS[counts.indexOf(most)] : null;
}

/** The format that a person has described by naming columns. */
export function mappedFormat({ prompt, response, system, messages, text }: ColumnMapping): Format {
  const name = 'columns as chosen';
  if (text !== undefined) return { name, keys: [text], read: (fields) => rawText(fields, text) };
  const own = (fields: Fields) => (system === undefined ? null : systemOf(fields, system));
  if (messages !== undefined)
    return { name, keys: [messages], read: (fields) => conversation(fields, messages, own(fields)) };
  const [question, answer] = [prompt!, response!];
  return {
    name,
    keys: [question, answer, ...(system === undefined ? [] : [system])],
    read: (fields) => pair(fields, question, answer, own(fields)),
  };
}

/** @returns the row, or what is wrong with it */
export function readRow(value: unknown, format: Format): Content | string {
  if (!isRecord(value)) return 'is not a JSON object. Write {"query": "…", "response": "…"}.';
  const missing = format.keys.find((key) => !(key in value));
  if (missing !== undefined) {
    const found = Object.keys(value).map((key) => `"${key}"`);
    return `has no "${missing}"; its keys are ${found.join(', ') || 'none'}. Rename them to ${format.keys.map((key) => `"${key}"`).join(' and ')}, as in the other rows.`;
  }
  const row = format.read(value);
  if (typeof row === 'string') return row;
  if (row.kind === 'text')
    return row.text.trim() === ''
      ? 'has an empty text: there is nothing to learn. Write one or remove the row.'
      : row;
  return conversationFault(row) ?? row;
}

export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text of a field; what is wrong with it where it has none. */
function textOf(fields: Fields, key: string): { text: string } | string {
  const value = fields[key];
  return typeof value === 'string'
    ? { text: value }
    : `has a "${key}" that is not text. Write it in quotation marks.`;
}

/** A row's own system message, where it has one that is not empty. */
function systemOf(fields: Fields, key = 'system'): string | null {
  const value = fields[key];
  return typeof value === 'string' && value !== '' ? value : null;
}

function withSystem(system: string | null, turns: readonly ChatMessage[]): ChatMessage[] {
  return system === null || turns[0]?.role === 'system'
    ? [...turns]
    : [{ role: 'system', content: system }, ...turns];
}

function pair(fields: Fields, promptKey: string, answerKey: string, system: string | null): Content | string {
  const prompt = textOf(fields, promptKey);
  if (typeof prompt === 'string') return prompt;
  const answer = textOf(fields, answerKey);
  if (typeof answer === 'string') return answer;
  if (answer.text.trim() === '')
    return `has an empty "${answerKey}": there is nothing to learn. Write an answer or remove the row.`;
  const messages = withSystem(system, [
    { role: 'user', content: prompt.text },
    { role: 'assistant', content: answer.text },
  ]);
  return { kind: 'chat', messages, answersFrom: messages.length - 1 };
}

function conversation(fields: Fields, key: string, system: string | null): Content | string {
  const turns = readTurns(listOf(fields[key]), key);
  return typeof turns === 'string'
    ? turns
    : { kind: 'chat', messages: withSystem(system, turns), answersFrom: 0 };
}

/** Two texts, or TRL's conversational form: two lists of turns, of which only the completion is learned from. */
function promptCompletion(fields: Fields): Content | string {
  const [prompt, completion] = [listOf(fields.prompt), listOf(fields.completion)];
  if (!Array.isArray(prompt) && !Array.isArray(completion))
    return pair(fields, 'prompt', 'completion', systemOf(fields));
  const [before, after] = [readTurns(prompt, 'prompt'), readTurns(completion, 'completion')];
  if (typeof before === 'string') return before;
  if (typeof after === 'string') return after;
  if (after.length === 0)
    return 'has an empty "completion": there is nothing to learn. Write an answer or remove the row.';
  const beginning = withSystem(systemOf(fields), before);
  return { kind: 'chat', messages: [...beginning, ...after], answersFrom: beginning.length };
}

/** As LLaMA-Factory reads it: the input goes below the instruction; `history` is a list of [question, answer] before it. */
function alpaca(fields: Fields): Content | string {
  const history = fields.history ?? [];
  if (
    !Array.isArray(history) ||
    history.some(
      (turn) => !Array.isArray(turn) || turn.length !== 2 || turn.some((text) => typeof text !== 'string'),
    )
  )
    return 'has a "history" that is not a list of [question, answer]. Mend it or remove it.';
  const input = fields.input ?? '';
  if (typeof input !== 'string') return 'has a "input" that is not text. Write it in quotation marks.';
  const last = pair(fields, 'instruction', 'output', null);
  if (typeof last === 'string' || last.kind === 'text') return last;
  const [question, answer] = last.messages;
  const turns = (history as [string, string][]).flatMap(([asked, answered]): ChatMessage[] => [
    { role: 'user', content: asked },
    { role: 'assistant', content: answered },
  ]);
  const asked = { ...question, content: input === '' ? question.content : `${question.content}\n${input}` };
  return { kind: 'chat', messages: withSystem(systemOf(fields), [...turns, asked, answer]), answersFrom: 0 };
}

function rawText(fields: Fields, key: string): Content | string {
  const text = textOf(fields, key);
  return typeof text === 'string' ? text : { kind: 'text', text: text.text };
}

/** A list, also where a table holds it as JSON text. */
function listOf(value: unknown): unknown {
  if (typeof value !== 'string' || !value.trimStart().startsWith('[')) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
