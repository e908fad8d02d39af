/**
 * Turns of a conversation as data files write them: {role, content}, {from, value}, calls of tools, marks of
 * what is learned.
 */
import { parseExactJson, plainNumber } from '../files/exactJson.ts';
import type { ChatMessage, ToolCall } from '../template/chatMessage.ts';

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
  ['function_call', 'assistant'],
  ['tool_call', 'assistant'],
  ['tool', 'tool'],
  ['function', 'tool'],
  ['observation', 'tool'],
  ['tool_response', 'tool'],
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
  if (!Array.isArray(value)) return `has a "${key}" that is not a list of turns.`;
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
  const isShareGpt = fields.role === undefined && fields.from !== undefined;
  const [speaker, said] = isShareGpt ? [fields.from, fields.value] : [fields.role, fields.content];
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
  const content = isCall ? '' : contentOf(said, calls !== null);
  if (typeof content !== 'string') return content.fault;
  const reasoning = readReasoning(fields);
  if (typeof reasoning === 'object' && reasoning !== null) return reasoning.fault;
  if (reasoning !== null && role !== 'assistant')
    return `has reasoning, but its role is "${role}". Only the assistant's turns can have it.`;
  const message: ChatMessage = { role, content };
  if (calls) message.tool_calls = calls;
  if (reasoning !== null) message.reasoning = reasoning;
  if (typeof fields.name === 'string') message.name = fields.name;
  if (typeof fields.tool_call_id === 'string') message.tool_call_id = fields.tool_call_id;
  return { message, isLearned: learning };
}

/** Whether a key says something: null, an empty list and an empty text do not. */
export function isGiven(value: unknown): boolean {
  return !(
    value === null ||
    value === undefined ||
    value === '' ||
    (Array.isArray(value) && value.length === 0)
  );
}

/** Text, a list of parts with texts, or nothing beside calls. */
function contentOf(value: unknown, hasCalls: boolean): string | { fault: string } {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined)
    return hasCalls ? '' : { fault: 'has no content (it is null). Write its text, or remove the row.' };
  if (!Array.isArray(value)) return { fault: 'is not text. Write its content in quotation marks.' };
  const texts: string[] = [];
  for (const part of value as unknown[]) {
    const fields = (typeof part === 'object' && part !== null ? part : {}) as Fields;
    const text =
      typeof part === 'string' ? part : (fields.text ?? (fields.type === 'text' ? fields.value : undefined));
    if (typeof text !== 'string')
      return {
        fault: `is not text: it has a part of type ${JSON.stringify(fields.type ?? typeof part).slice(0, 40)}, and only parts of texts are read. Remove the row, or write its content as text.`,
      };
    texts.push(text);
  }
  return texts.join('');
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
    const flag = value === true || value === 1 ? true : value === false || value === 0 ? false : null;
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
    if (!isGiven(value) || value === true || value === 1) continue;
    return value === false || value === 0
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

/**
 * Calls of tools: OpenAI's list, its older single `function_call`, or, where the turn is a call, ShareGPT's
 * JSON text of one or several. Arguments may be an object or its JSON text.
 */
function readCalls(value: unknown, isText: boolean): ToolCall[] | null | string {
  if (!isGiven(value))
    return isText ? 'is a call of a tool without text. Write its name and arguments.' : null;
  const parsed = typeof value === 'string' ? parsedJson(value) : value;
  const list = Array.isArray(parsed) ? parsed : [parsed];
  const calls: ToolCall[] = [];
  for (const entry of list as unknown[]) {
    const fields = (typeof entry === 'object' && entry !== null ? entry : {}) as Fields;
    const called = (
      typeof fields.function === 'object' && fields.function !== null ? fields.function : fields
    ) as Fields;
    if (typeof called.name !== 'string' || called.name === '')
      return 'has a call of a tool that cannot be read. Write {"name": "…", "arguments": {…}}.';
    const given = called.arguments ?? called.parameters ?? {};
    const args = typeof given === 'string' ? (parsedJson(given) ?? given) : given;
    if (typeof args !== 'string' && !isObject(args))
      return `has a call of "${called.name}" whose arguments are no object. Write {"name": "…", "arguments": {…}}.`;
    calls.push({
      type: 'function',
      ...(typeof fields.id === 'string' ? { id: fields.id } : {}),
      function: { name: called.name, arguments: args },
    });
  }
  return calls;
}

/** The functions of a row, as a list or as its JSON text; a bare function is wrapped as OpenAI writes it. */
export function readTools(value: unknown): unknown[] | null | string {
  if (!isGiven(value)) return null;
  const parsed = typeof value === 'string' ? parsedJson(value) : value;
  if (!Array.isArray(parsed) || !parsed.every(isObject))
    return 'has "tools" that are no list of functions. Write [{"type": "function", "function": {"name": "…", …}}].';
  const tools = parsed.map((tool) => ('function' in tool ? tool : { type: 'function', function: tool }));
  return tools.every(({ function: called }) => isObject(called) && typeof called.name === 'string')
    ? tools.length > 0
      ? tools
      : null
    : 'has "tools" with a function that has no name. Write {"type": "function", "function": {"name": "…", …}}.';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsedJson(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    // Not JSON: the caller says what it must be.
    return undefined;
  }
}
