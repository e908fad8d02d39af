/**
 * Turns of a conversation as data files write them: {role, content}, {from, value}, calls of tools, marks of
 * what is learned.
 */
import { plainNumber } from '../files/exactJson.ts';
import type { ChatMessage } from '../template/chatMessage.ts';
import { isGiven, readCalls } from './toolCalls.ts';

export interface Turns {
  messages: ChatMessage[];
  /** Turns of the assistant that are only read, by index. */
  unlearned: number[];
}

type Fields = Readonly<Record<string, unknown>>;

/** Names of speakers in the data sets that are around. */
const ROLES: ReadonlyMap<string, ChatMessage['role']> = new Map([
  ['system', 'system'],
  ['developer', 'system'],
  ['user', 'user'],
  ['human', 'user'],
  ['prompter', 'user'],
  ['assistant', 'assistant'],
  ['gpt', 'assistant'],
  ['chatgpt', 'assistant'],
  ['model', 'assistant'],
  ['bot', 'assistant'],
  ['ai', 'assistant'],
  ['function_call', 'assistant'],
  ['tool_call', 'assistant'],
  ['tool', 'tool'],
  ['function', 'tool'],
  ['observation', 'tool'],
  ['tool_response', 'tool'],
  ['ipython', 'tool'],
]);
/** Speakers whose whole text is a call. */
const CALLERS = ['function_call', 'tool_call'];
/** Keys of a turn that are read; all others are counted as unknown. */
export const TURN_KEYS: readonly string[] = [
  ...['role', 'content', 'from', 'value', 'tool_calls', 'function_call', 'tool_call_id', 'name'],
  ...['weight', 'train', 'training', 'loss', 'loss_weight', 'reasoning_content', 'thinking', 'reasoning'],
  ...['train_detail', 'training_detail'],
];
export const REASONING_KEYS = ['reasoning_content', 'thinking', 'reasoning'] as const;
export const MEDIA_KEYS = ['images', 'audios', 'videos', 'image', 'audio', 'video'] as const;
/** Which stretches of a turn are learned, as axolotl has it: not honoured. */
const DETAIL_KEYS = ['train_detail', 'training_detail'] as const;
const TRAIN_KEYS = ['train', 'training', 'loss', 'loss_weight'] as const;

/** @returns what is wrong with the turns where they cannot be used, as a sentence that follows "line 3" */
export function readTurns(value: unknown, key: string): Turns | string {
  if (value === null || value === undefined) return `has a "${key}" that is null. Write a list of turns.`;
  if (!Array.isArray(value))
    return typeof value === 'string' && /^\s*\[\s*\{\s*'/.test(value)
      ? `has a "${key}" that is written as Python prints a list. Write it as JSON (json.dumps).`
      : `has a "${key}" that is not a list of turns.`;
  const turns: Turns = { messages: [], unlearned: [] };
  for (const [i, turn] of value.entries()) {
    const read = readTurn(turn);
    if (typeof read === 'string') return `has a "${key}" whose turn ${i + 1} ${read}`;
    if (!read.isLearned) turns.unlearned.push(i);
    turns.messages.push(read.message);
  }
  return turns;
}

function readTurn(turn: unknown): { message: ChatMessage; isLearned: boolean } | string {
  if (typeof turn !== 'object' || turn === null || Array.isArray(turn))
    return 'is not an object. Write {"role": "user", "content": "…"}.';
  const fields = turn as Fields;
  // Where data sets were merged, a turn has the keys of both forms, and null in those of the other.
  const speaker = fields.role ?? fields.from ?? fields.role;
  const said = fields.content ?? fields.value;
  const role = typeof speaker === 'string' ? ROLES.get(speaker.toLowerCase()) : undefined;
  if (!role)
    return speaker === null || speaker === undefined
      ? `is spoken by ${speaker === null ? 'null' : 'nobody'}: its role is missing. Write "system", "user", "assistant" or "tool".`
      : `is spoken by ${JSON.stringify(speaker).slice(0, 40)}; it must be "system", "user", "assistant" or "tool". Rename the role, or remove the row.`;
  const media = MEDIA_KEYS.find((key) => isGiven(fields[key]));
  if (media !== undefined)
    return `has "${media}": pictures, sounds and films cannot be trained. Remove the row, or the key.`;
  const detail = DETAIL_KEYS.find((key) => isGiven(fields[key]));
  if (detail !== undefined)
    return `has "${detail}", which says what of the turn is learned: parts of a turn cannot be left out. Remove the key, or mark the whole turn by "train".`;
  const learning = readLearning(fields, role);
  if (typeof learning === 'string') return learning;
  const isCall = CALLERS.includes((speaker as string).toLowerCase());
  const calls = readCalls(isCall ? said : (fields.tool_calls ?? fields.function_call), isCall);
  if (typeof calls === 'string') return calls;
  if (calls && role !== 'assistant')
    return `has calls of tools, but its role is "${role}". Give it the role "assistant".`;
  if (!isCall && !calls && !('content' in fields) && !('value' in fields))
    return `has no "content"; its keys are ${Object.keys(fields).slice(0, 6).join(', ')}. Write its text as "content".`;
  const content = isCall ? { text: '', reasoning: null } : contentOf(said, calls !== null);
  if ('fault' in content) return content.fault;
  const beside = readReasoning(fields);
  if (typeof beside === 'object' && beside !== null) return beside.fault;
  const reasoning = beside ?? content.reasoning;
  if (reasoning !== null && role !== 'assistant')
    return `has reasoning, but its role is "${role}". Only the assistant's turns can have it.`;
  const message: ChatMessage = { role, content: content.text };
  if (calls) message.tool_calls = calls;
  if (reasoning !== null) message.reasoning = reasoning;
  if (typeof fields.name === 'string') message.name = fields.name;
  if (typeof fields.tool_call_id === 'string') message.tool_call_id = fields.tool_call_id;
  return { message, isLearned: learning };
}

interface Content {
  text: string;
  /** Of parts that are the assistant's thoughts; null where there are none. */
  reasoning: string | null;
}

/** Kinds of parts whose text is what is said, and what is thought. */
const TEXT_PARTS = ['text', 'input_text', 'output_text'];
const THOUGHT_PARTS = ['thinking', 'reasoning'];

/** Text, a list of parts with texts, or nothing beside calls. */
function contentOf(value: unknown, hasCalls: boolean): Content | { fault: string } {
  if (typeof value === 'string') return { text: value, reasoning: null };
  if (value === null || value === undefined)
    return hasCalls
      ? { text: '', reasoning: null }
      : { fault: 'has no content (it is null). Write its text, or remove the row.' };
  if (!Array.isArray(value)) return { fault: 'is not text. Write its content in quotation marks.' };
  const texts: string[] = [];
  const thoughts: string[] = [];
  for (const part of value as unknown[]) {
    const fields = (typeof part === 'object' && part !== null ? part : {}) as Fields;
    const type = fields.type ?? 'text';
    const isThought = THOUGHT_PARTS.includes(type as string);
    const text =
      typeof part === 'string'
        ? part
        : isThought
          ? (fields.thinking ?? fields.reasoning ?? fields.text)
          : TEXT_PARTS.includes(type as string)
            ? (fields.text ?? fields.value)
            : undefined;
    if (typeof text !== 'string')
      return {
        fault: `is not text: it has a part of type ${JSON.stringify(fields.type ?? typeof part).slice(0, 40)}, and only parts of texts are read. Remove the row, or write its content as text.`,
      };
    (isThought ? thoughts : texts).push(text);
  }
  return { text: texts.join(''), reasoning: thoughts.length > 0 ? thoughts.join('') : null };
}

/** What a mark says, also where a table has it as text; null where it is neither. */
export function flagOf(value: unknown): boolean | null {
  const given = plainNumber(typeof value === 'string' ? value.trim().toLowerCase() : value);
  if (given === true || given === 1 || given === 'true' || given === '1') return true;
  return given === false || given === 0 || given === 'false' || given === '0' ? false : null;
}

/**
 * Whether a turn is learned from. OpenAI and Fireworks write `weight`, axolotl `train` or `training`, others
 * `loss`.
 */
function readLearning(fields: Fields, role: ChatMessage['role']): boolean | string {
  const marks = [
    ...(isGiven(fields.weight) ? [['weight', plainNumber(fields.weight)] as const] : []),
    ...TRAIN_KEYS.filter((key) => isGiven(fields[key])).map(
      (key) => [key, plainNumber(fields[key])] as const,
    ),
  ];
  let isLearned = true;
  for (const [key, value] of marks) {
    const flag = flagOf(value);
    if (flag === null)
      return `has "${key}": ${JSON.stringify(value).slice(0, 40)}; only 0 and 1, true and false can be honoured. Write one of them.`;
    if (flag && role !== 'assistant')
      return `has "${key}": ${JSON.stringify(value)}, but its role is "${role}": only the assistant's turns are learned. Remove the key.`;
    isLearned &&= flag;
  }
  return isLearned;
}

/** Row-level marks of the same kind. @returns why the row is left out, null where it is not */
export function rowWeightFault(fields: Fields): string | null {
  for (const key of ['weight', ...TRAIN_KEYS]) {
    const value = plainNumber(fields[key]);
    if (!isGiven(value) || flagOf(value) === true) continue;
    return flagOf(value) === false
      ? `has "${key}": ${JSON.stringify(value)}: it is marked as not to be learned from, and is left out. Remove the row, or the key.`
      : `has "${key}": ${JSON.stringify(value).slice(0, 40)}; weights of rows cannot be honoured. Remove the key.`;
  }
  return null;
}

/** What the assistant thought, under any of the names; null where it is not given. */
export function readReasoning(fields: Fields): string | null | { fault: string } {
  const given = REASONING_KEYS.filter((key) => isGiven(fields[key]));
  const [key] = given;
  if (key === undefined) return null;
  if (given.some((other) => fields[other] !== fields[key]))
    return { fault: `has both "${given.join('" and "')}". Keep one of them.` };
  const value = fields[key];
  return typeof value === 'string'
    ? value
    : { fault: `has a "${key}" that is not text. Write it in quotation marks.` };
}
