/**
 * The formats that rows come in, recognised by their keys; each turns a record into a row or says what is
 * wrong with it.
 */
import {
  conversationFault,
  hasLoneSurrogate,
  LONE_SURROGATE,
  promptFault,
  type RowContent,
} from './conversation.ts';
import { withMeaningfulKeys } from './meaningfulKeys.ts';
import { isGiven } from './toolCalls.ts';
import { OPENAI_PREFERENCE, openAiPreference, preferencePair } from './preferences.ts';
import { pair, type Fields, type Format } from './rowFields.ts';
import {
  conversation,
  instructed,
  promptAlone,
  promptCompletion,
  rawText,
  REFERENCES,
  SYSTEM_KEYS,
  systemOf,
} from './rowReaders.ts';

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
    optional: SYSTEM_KEYS,
    read: (fields) => pair(fields, prompt, answer, systemOf(fields)),
  };
}

/** In order: a file that has the keys of several is in the first. */
export const FORMATS: readonly Format[] = [
  {
    name: 'preference',
    keys: ['chosen', 'rejected'],
    optional: ['prompt', 'question', 'instruction', 'input', 'conversations', 'messages', ...SYSTEM_KEYS],
    read: (fields) => preferencePair(fields, systemOf(fields)),
  },
  {
    name: 'preference',
    keys: OPENAI_PREFERENCE,
    optional: SYSTEM_KEYS,
    read: (fields) => openAiPreference(fields, systemOf(fields)),
  },
  {
    name: 'messages',
    keys: ['messages'],
    optional: SYSTEM_KEYS,
    read: (fields) => conversation(fields, 'messages', systemOf(fields)),
  },
  {
    name: 'ShareGPT',
    keys: ['conversations'],
    optional: SYSTEM_KEYS,
    read: (fields) => conversation(fields, 'conversations', systemOf(fields)),
  },
  pairFormat('query/response', 'query', 'response'),
  {
    name: 'prompt/completion',
    keys: ['prompt', 'completion'],
    optional: SYSTEM_KEYS,
    read: promptCompletion,
  },
  {
    name: 'Alpaca',
    keys: ['instruction', 'output'],
    optional: ['input', 'history', ...SYSTEM_KEYS],
    read: (fields) => instructed(fields, 'input', 'output'),
  },
  {
    name: 'Dolly',
    keys: ['instruction', 'context', 'response'],
    optional: ['history', ...SYSTEM_KEYS],
    read: (fields) => instructed(fields, 'context', 'response'),
  },
  {
    name: 'instruction/response',
    keys: ['instruction', 'response'],
    optional: ['input', 'history', ...SYSTEM_KEYS],
    read: (fields) => instructed(fields, 'input', 'response'),
  },
  pairFormat('question/answer', 'question', 'answer'),
  pairFormat('prompt/response', 'prompt', 'response'),
  pairFormat('question/response', 'question', 'response'),
  pairFormat('prompt/answer', 'prompt', 'answer'),
  pairFormat('input/output', 'input', 'output'),
  { name: 'raw text', keys: ['text'], optional: [], read: (fields) => rawText(fields, 'text') },
];

/** Of methods that sample the answers themselves: a prompt, and what an answer to it is compared with. */
const PROMPT: Format = {
  name: 'prompt',
  keys: ['prompt'],
  optional: ['system', ...REFERENCES],
  read: (fields) => promptAlone(fields, systemOf(fields)),
};

/**
 * The keys that records have, as far as it decides their format: records that have the same ones are counted
 * together.
 */
export class KeyCounts {
  private readonly records = new Map<string, { keys: string[]; count: number }>();
  /**
   * Keys that are given in some record. A column that is null in every row, or in a table empty, as in merged
   * data sets, is none.
   */
  private readonly filled = new Set<string>();
  /** Keys that are not null in some record. */
  private readonly present = new Set<string>();

  add(fields: Fields): void {
    const keys = Object.keys(fields);
    for (const key of keys) {
      if (isGiven(fields[key])) this.filled.add(key);
      if (fields[key] !== null && fields[key] !== undefined) this.present.add(key);
    }
    const name = JSON.stringify(keys);
    const known = this.records.get(name);
    if (known) known.count++;
    else this.records.set(name, { keys, count: 1 });
  }

  /**
   * How many records have all of these keys.
   * @param isEmptyToo whether keys count that are empty in every record
   */
  having(wanted: readonly string[], isEmptyToo = false): number {
    const known = isEmptyToo ? this.present : this.filled;
    if (!wanted.every((key) => known.has(key))) return 0;
    let total = 0;
    for (const { keys, count } of this.records.values())
      if (wanted.every((key) => keys.includes(key))) total += count;
    return total;
  }
}

/**
 * The format most of these records are in; null where none is in any.
 * @param promptsAlone whether rows may have prompts without answers
 */
export function recogniseFormat(records: KeyCounts, promptsAlone = false): Format | null {
  // Where all answers are empty, the file still is in that format, and its rows are refused for it.
  const found = mostCommon(records, false) ?? mostCommon(records, true);
  const isPrompt = promptsAlone && (!found || found.name === 'prompt/answer');
  return isPrompt && records.having(PROMPT.keys) > 0 ? PROMPT : found;
}

/** The first of the formats that the most of the records have. */
function mostCommon(records: KeyCounts, isEmptyToo: boolean): Format | null {
  const counts = FORMATS.map((format) => records.having(format.keys, isEmptyToo));
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

/** @returns why what stands there is no row */
export function notARecord(value: unknown): string {
  const isTurns =
    Array.isArray(value) && value.length > 0 && value.every((turn) => isRecord(turn) && 'role' in turn);
  return isTurns
    ? 'is a list of turns by itself. Write {"messages": […]} around it.'
    : 'is not a JSON object. Write {"query": "…", "response": "…"}.';
}

/** Where a row is refused for what it holds. @returns the row, or what is wrong with it */
export function readRow(value: unknown, format: Format): RowContent | string {
  if (!isRecord(value)) return notARecord(value);
  const missing = format.keys.find((key) => !(key in value));
  if (missing !== undefined) {
    const other = FORMATS.find(({ keys }) => keys.every((key) => key in value));
    if (other)
      return `is in the form ${other.name}, not ${format.name} as most rows of this file are. Put such rows into a file of their own; training files are joined.`;
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
    case 'prompt':
      return promptFault(whole) ?? whole;
    case 'preference':
      return conversationFault(whole.chosen) ?? conversationFault(whole.rejected) ?? whole;
  }
}

export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
