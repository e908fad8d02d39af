/** A row as it will be trained, whatever format it came in: a conversation, or a text that is learned from as a whole. */
import type { ChatMessage } from '../template/chatTemplate.ts';

export interface Conversation {
  kind: 'chat';
  /** May begin with a system message of its own, which takes the place of the recipe's. Ends with the assistant's turn. */
  messages: ChatMessage[];
  /** Turns of the assistant before this message are part of the prompt: only read. */
  answersFrom: number;
}

export interface RawText {
  kind: 'text';
  text: string;
}

export type Row = (Conversation | RawText) & {
  /** 1-based line, or row of a table or an array. */
  line: number;
};

/** What the person says last: what is shown as the question. '' for a raw text. */
export function questionOf(row: Row): string {
  return row.kind === 'text' ? '' : (row.messages.findLast(({ role }) => role === 'user')?.content ?? '');
}

/** The answer at the end; the whole of a raw text. */
export function answerOf(row: Row): string {
  return row.kind === 'text' ? row.text : row.messages.at(-1)!.content;
}

/** Names of speakers in the data sets that are around. */
const ROLES: Readonly<Record<string, ChatMessage['role']>> = {
  system: 'system',
  user: 'user',
  human: 'user',
  prompter: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  chatgpt: 'assistant',
  model: 'assistant',
  bot: 'assistant',
};

/** Turns written as {role, content} or {from, value}. @returns what is wrong with them where they cannot be used */
export function readTurns(value: unknown, key: string): ChatMessage[] | string {
  if (!Array.isArray(value)) return `has a "${key}" that is not a list of turns.`;
  const messages: ChatMessage[] = [];
  for (const [i, turn] of value.entries()) {
    const message = readTurn(turn);
    if (typeof message === 'string') return `has a "${key}" whose turn ${i + 1} ${message}`;
    messages.push(message);
  }
  return messages;
}

function readTurn(turn: unknown): ChatMessage | string {
  if (typeof turn !== 'object' || turn === null || Array.isArray(turn))
    return 'is not an object. Write {"role": "user", "content": "…"}.';
  const { role, content, from, value } = turn as Record<string, unknown>;
  const [speaker, said] = role === undefined && from !== undefined ? [from, value] : [role, content];
  const known = typeof speaker === 'string' ? ROLES[speaker.toLowerCase()] : undefined;
  if (!known)
    return `is spoken by ${JSON.stringify(speaker) ?? 'nobody'}; it must be "system", "user" or "assistant". Turns of tools cannot be trained: remove the row.`;
  const text = typeof said === 'string' ? said : textOfParts(said);
  return text === null
    ? 'is not text. Images, sounds and calls of tools cannot be trained: remove the row.'
    : { role: known, content: text };
}

/** The text of a content written as a list of parts; null where a part is something else. */
function textOfParts(value: unknown): string | null {
  if (!Array.isArray(value)) return null;
  const texts = value.map((part: unknown) =>
    typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string'
      ? part.text
      : null,
  );
  return texts.includes(null) ? null : texts.join('');
}

/** @returns why a conversation cannot be trained, null where it can */
export function conversationFault({ messages, answersFrom }: Conversation): string | null {
  const turns = messages.filter(({ role }) => role !== 'system');
  if (turns.length === 0)
    return 'has no turns: there is nothing to learn. Write a question and an answer or remove the row.';
  if (messages.at(-1)!.role !== 'assistant')
    return 'does not end with the assistant: the last question has no answer. Add it, or remove that turn.';
  if (messages.slice(answersFrom).some(({ role, content }) => role === 'assistant' && content.trim() === ''))
    return 'has an empty answer: there is nothing to learn. Write one or remove the row.';
  return null;
}
