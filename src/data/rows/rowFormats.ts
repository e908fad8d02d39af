/**
 * The formats that rows come in, recognised by their keys; each turns a record into a row or says what is
 * wrong with it.
 */
import type { ChatMessage } from '../template/chatMessage.ts';
import { conversationFault, hasLoneSurrogate, LONE_SURROGATE, type RowContent } from './conversation.ts';
import { withMeaningfulKeys } from './meaningfulKeys.ts';
import { preferencePair } from './preferences.ts';
import { pair, textField, turnsOf, withSystem, type Fields, type Format } from './rowFields.ts';

export type { Format };

/**
 * Columns by what they are, for files in no known format: names as LLaMA-Factory's dataset_info.json has
 * them.
 */
export interface ColumnMapping {
  prompt?: string;
  response?: string;
  system?: string;
  /** Instead of prompt and response: a list of turns, {role, content} or {from, value}. */
  messages?: string;
  /** Instead of all others: learned from as a whole. */
  text?: string;
}

/** Two texts under these names. */
function pairFormat(name: string, prompt: string, answer: string): Format {
  return {
    name,
    keys: [prompt, answer],
    optional: ['system'],
    read: (fields) => pair(fields, prompt, answer, systemOf(fields)),
  };
}

/** In order: a file that has the keys of several is in the first. */
export const FORMATS: readonly Format[] = [
  {
    name: 'preference',
    keys: ['chosen', 'rejected'],
    optional: ['prompt', 'question', 'instruction', 'input', 'conversations', 'messages', 'system'],
    read: (fields) => preferencePair(fields, systemOf(fields)),
  },
  {
    name: 'messages',
    keys: ['messages'],
    optional: ['system'],
    read: (fields) => conversation(fields, 'messages', systemOf(fields)),
  },
  {
    name: 'ShareGPT',
    keys: ['conversations'],
    optional: ['system'],
    read: (fields) => conversation(fields, 'conversations', systemOf(fields)),
  },
  pairFormat('query/response', 'query', 'response'),
  { name: 'prompt/completion', keys: ['prompt', 'completion'], optional: ['system'], read: promptCompletion },
  {
    name: 'Alpaca',
    keys: ['instruction', 'output'],
    optional: ['input', 'history', 'system'],
    read: (fields) => instructed(fields, 'input', 'output'),
  },
  {
    name: 'Dolly',
    keys: ['instruction', 'context', 'response'],
    optional: ['history', 'system'],
    read: (fields) => instructed(fields, 'context', 'response'),
  },
  {
    name: 'instruction/response',
    keys: ['instruction', 'response'],
    optional: ['input', 'history', 'system'],
    read: (fields) => instructed(fields, 'input', 'response'),
  },
  pairFormat('question/answer', 'question', 'answer'),
  pairFormat('prompt/response', 'prompt', 'response'),
  pairFormat('input/output', 'input', 'output'),
  { name: 'raw text', keys: ['text'], optional: [], read: (fields) => rawText(fields, 'text') },
];

/**
 * The keys that records have, as far as it decides their format: records that have the same ones are counted
 * together.
 */
export class KeyCounts {
  private readonly records = new Map<string, { keys: string[]; count: number }>();
  /**
   * Keys that are not null in some record. A column that is null in every row, as in merged data sets, is
   * none.
   */
  private readonly filled = new Set<string>();

  add(fields: Fields): void {
    const keys = Object.keys(fields);
    for (const key of keys) if (fields[key] !== null && fields[key] !== undefined) this.filled.add(key);
    const name = JSON.stringify(keys);
    const known = this.records.get(name);
    if (known) known.count++;
    else this.records.set(name, { keys, count: 1 });
  }

  /** How many records have all of these keys. */
  having(wanted: readonly string[]): number {
    if (!wanted.every((key) => this.filled.has(key))) return 0;
    let total = 0;
    for (const { keys, count } of this.records.values())
      if (wanted.every((key) => keys.includes(key))) total += count;
    return total;
  }
}

/** The format most of these records are in; null where none is in any. */
export function recogniseFormat(records: KeyCounts): Format | null {
  const counts = FORMATS.map((format) => records.having(format.keys));
  // A file is in the first of the formats that the most of its rows have.
  const most = counts.reduce((a, b) => Math.max(a, b), 0);
  return (most > 0 && FORMATS[counts.indexOf(most)]) || null;
}

/** The format that a person has described by naming columns. */
export function mappedFormat({ prompt, response, system, messages, text }: ColumnMapping): Format {
  const name = 'columns as chosen';
  if (text !== undefined)
    return { name, keys: [text], optional: [], read: (fields) => rawText(fields, text) };
  const own = (fields: Fields) => (system === undefined ? null : systemOf(fields, system));
  const optional = system === undefined ? [] : [system];
  if (messages !== undefined)
    return {
      name,
      keys: [messages],
      optional,
      read: (fields) => conversation(fields, messages, own(fields)),
    };
  const [question, answer] = [prompt!, response!];
  return {
    name,
    keys: [question, answer, ...optional],
    optional: [],
    read: (fields) => pair(fields, question, answer, own(fields)),
  };
}

/** @returns the row, or what is wrong with it */
export function readRow(value: unknown, format: Format): RowContent | string {
  if (!isRecord(value)) return 'is not a JSON object. Write {"query": "…", "response": "…"}.';
  const missing = format.keys.find((key) => !(key in value));
  if (missing !== undefined) {
    const found = Object.keys(value).map((key) => `"${key}"`);
    return `has no "${missing}"; its keys are ${found.slice(0, 8).join(', ') || 'none'}. Rename them to ${format.keys.map((key) => `"${key}"`).join(' and ')}, as in the other rows.`;
  }
  const row = format.read(value);
  if (typeof row === 'string') return row;
  const whole = withMeaningfulKeys(row, value, format);
  if (typeof whole === 'string') return whole;
  switch (whole.kind) {
    case 'text':
      if (whole.text.trim() === '')
        return 'has an empty text: there is nothing to learn. Write one or remove the row.';
      return hasLoneSurrogate(whole.text) ? LONE_SURROGATE : whole;
    case 'chat':
      return conversationFault(whole) ?? whole;
    case 'preference':
      return conversationFault(whole.chosen) ?? conversationFault(whole.rejected) ?? whole;
  }
}

export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A row's own system message, where it has one that is not empty. */
function systemOf(fields: Fields, key = 'system'): string | null {
  const value = fields[key];
  return typeof value === 'string' && value !== '' ? value : null;
}

function conversation(fields: Fields, key: string, system: string | null): RowContent | string {
  const turns = turnsOf(fields[key], key);
  if (typeof turns === 'string') return turns;
  const messages = withSystem(system, turns.messages);
  const shift = messages.length - turns.messages.length;
  return {
    kind: 'chat',
    messages,
    answersFrom: 0,
    ...(turns.unlearned.length > 0 ? { unlearned: turns.unlearned.map((turn) => turn + shift) } : {}),
  };
}

/**
 * Two texts, or TRL's conversational form: two lists of turns, of which only the completion is learned from.
 */
function promptCompletion(fields: Fields): RowContent | string {
  const [prompt, completion] = [turnsOf(fields.prompt, 'prompt'), turnsOf(fields.completion, 'completion')];
  const isText = [fields.prompt, fields.completion].map(
    (value, i) => typeof value === 'string' && typeof [prompt, completion][i] === 'string',
  );
  if (isText[0] && isText[1]) return pair(fields, 'prompt', 'completion', systemOf(fields));
  // A question as text before an answer as turns, and the reverse.
  const before = isText[0] ? { messages: [asUser(fields.prompt as string)], unlearned: [] } : prompt;
  const after = isText[1]
    ? { messages: [asAssistant(fields.completion as string)], unlearned: [] }
    : completion;
  if (typeof before === 'string') return before;
  if (typeof after === 'string') return after;
  if (after.messages.length === 0)
    return 'has an empty "completion": there is nothing to learn. Write an answer or remove the row.';
  const beginning = withSystem(systemOf(fields), before.messages);
  const unlearned = after.unlearned.map((turn) => turn + beginning.length);
  return {
    kind: 'chat',
    messages: [...beginning, ...after.messages],
    answersFrom: beginning.length,
    ...(unlearned.length > 0 ? { unlearned } : {}),
  };
}

function asUser(content: string): ChatMessage {
  return { role: 'user', content };
}

function asAssistant(content: string): ChatMessage {
  return { role: 'assistant', content };
}

/**
 * As LLaMA-Factory reads it: the input goes below the instruction; `history` is a list of [question, answer]
 * before it.
 */
function instructed(fields: Fields, inputKey: string, answerKey: string): RowContent | string {
  const history = fields.history ?? [];
  if (
    !Array.isArray(history) ||
    history.some(
      (turn) => !Array.isArray(turn) || turn.length !== 2 || turn.some((text) => typeof text !== 'string'),
    )
  )
    return 'has a "history" that is not a list of [question, answer]. Mend it or remove it.';
  const instruction = textField(fields, 'instruction');
  if (typeof instruction !== 'string') return instruction.fault;
  const input = fields[inputKey] ?? '';
  if (typeof input !== 'string') return `has a "${inputKey}" that is not text. Write it in quotation marks.`;
  const answer = textField(fields, answerKey);
  if (typeof answer !== 'string') return answer.fault;
  if (answer.trim() === '')
    return `has an empty "${answerKey}": there is nothing to learn. Write an answer or remove the row.`;
  const turns = (history as [string, string][]).flatMap(([asked, answered]) => [
    asUser(asked),
    asAssistant(answered),
  ]);
  const asked = [instruction, input].filter((part) => part !== '').join('\n');
  return {
    kind: 'chat',
    messages: withSystem(systemOf(fields), [...turns, asUser(asked), asAssistant(answer)]),
    answersFrom: 0,
  };
}

function rawText(fields: Fields, key: string): RowContent | string {
  const text = textField(fields, key);
  return typeof text === 'string' ? { kind: 'text', text } : text.fault;
}
