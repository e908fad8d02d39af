/** Reads one record of a format as a row, or says what is wrong with it. */
import { plainNumber } from '../files/exactJson.ts';
import type { ChatMessage } from '../template/chatMessage.ts';
import type { RowContent } from './conversation.ts';
import { pair, textField, turnsOf, withSystem, type Fields } from './rowFields.ts';

/** Under which rows have a system message of their own: as LLaMA-Factory and OpenOrca name it. */
export const SYSTEM_KEYS = ['system', 'system_prompt'];

/** A row's own system message, where it has one that is not empty. */
export function systemOf(fields: Fields, key?: string): string | null {
  for (const name of key === undefined ? SYSTEM_KEYS : [key]) {
    const value = fields[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}

export function conversation(fields: Fields, key: string, system: string | null): RowContent | string {
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
export function promptCompletion(fields: Fields): RowContent | string {
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
export function instructed(fields: Fields, inputKey: string, answerKey: string): RowContent | string {
  const history = fields.history ?? [];
  if (
    !Array.isArray(history) ||
    history.some(
      (turn) => !Array.isArray(turn) || turn.length !== 2 || turn.some((text) => typeof text !== 'string'),
    )
  )
    return 'has a "history" that is not a list of [question, answer]. Mend it or remove it.';
  const input = fields[inputKey] ?? '';
  if (typeof input !== 'string') return `has a "${inputKey}" that is not text. Write it in quotation marks.`;
  // With the whole question in the input, an instruction of null says no more than an empty one.
  const instruction = fields.instruction === null && input !== '' ? '' : textField(fields, 'instruction');
  if (typeof instruction !== 'string') return instruction.fault;
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

export function rawText(fields: Fields, key: string): RowContent | string {
  const text = textField(fields, key);
  return typeof text === 'string' ? { kind: 'text', text } : text.fault;
}

/** Where the answer that others are compared with may stand, in the order in which it is looked for. */
export const REFERENCES = ['answer', 'solution', 'ground_truth', 'reference', 'response', 'target', 'label'];

/** A prompt as text or as turns, and its reference, where it has one: a text, a number, true or false. */
export function promptAlone(fields: Fields, system: string | null): RowContent | string {
  const turns = turnsOf(fields.prompt, 'prompt');
  const isText = typeof turns === 'string' && typeof fields.prompt === 'string';
  if (typeof turns === 'string' && !isText) return turns;
  const before = isText ? [asUser(fields.prompt as string)] : (turns as { messages: ChatMessage[] }).messages;
  const key = REFERENCES.find((name) => fields[name] !== undefined && fields[name] !== null);
  const given = key === undefined ? null : plainNumber(fields[key]);
  const isScalar = ['string', 'number', 'bigint', 'boolean'].includes(typeof given);
  return {
    kind: 'prompt',
    messages: withSystem(system, before),
    reference: isScalar ? String(given) : null,
  };
}
