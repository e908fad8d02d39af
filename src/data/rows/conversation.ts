/** A row as it will be trained, whatever format it came in. */
import type { ChatMessage } from '../template/chatMessage.ts';

export interface Conversation {
  kind: 'chat';
  /**
   * May begin with a system message of its own, which takes the place of the recipe's. Ends with the
   * assistant's turn.
   */
  messages: ChatMessage[];
  /** Turns of the assistant before this message are part of the prompt: only read. */
  answersFrom: number;
  /** Further turns of the assistant that are only read (`weight: 0`, `train: false`), by index. */
  unlearned?: number[];
  /** Functions that may be called, as JSON schemas, for the template to print. */
  tools?: unknown[];
  /** Whether the answer is a wanted one, of rows for KTO. */
  label?: boolean;
}

/** A text that is learned from as a whole. */
export interface RawText {
  kind: 'text';
  text: string;
}

/** The same prompt with a wanted and an unwanted answer. */
export interface PreferencePair {
  kind: 'preference';
  chosen: Conversation;
  rejected: Conversation;
}

/** A prompt whose answers are sampled and rewarded. */
export interface Prompt {
  kind: 'prompt';
  /** Ends with the person's turn. */
  messages: ChatMessage[];
  tools?: unknown[];
  /** What rewards compare answers with; null where the row has none. */
  reference: string | null;
}

export type RowContent = Conversation | RawText | PreferencePair | Prompt;

export type Row = RowContent & {
  /** 1-based line, or row of a table or an array. */
  line: number;
  /** The file that it is from, where several are read as one. */
  file?: string;
  /** What the file has there, for functions of the recipe. */
  record?: unknown;
};

/** What the person says last: what is shown as the question. '' for a raw text. */
export function questionOf(row: RowContent): string {
  if (row.kind === 'text') return '';
  const { messages } = row.kind === 'preference' ? row.chosen : row;
  return messages.findLast(({ role }) => role === 'user')?.content ?? '';
}

/** The answer at the end, the chosen one of two; the whole of a raw text. */
export function answerOf(row: RowContent): string {
  if (row.kind === 'text') return row.text;
  if (row.kind === 'prompt') return row.reference ?? '';
  return saidIn((row.kind === 'chat' ? row : row.chosen).messages.at(-1)!);
}

/** A turn's text, or its calls where it only calls. */
export function saidIn({ content, tool_calls }: ChatMessage): string {
  return content === '' && tool_calls ? JSON.stringify(tool_calls.map((call) => call.function)) : content;
}

/**
 * Turns before the last answer, system messages aside: what two rows' prompts are compared by. None of a raw
 * text.
 */
export function turnsBeforeAnswer(row: RowContent): readonly ChatMessage[] {
  if (row.kind === 'text') return [];
  if (row.kind === 'prompt') return row.messages.filter(({ role }) => role !== 'system');
  const { messages } = row.kind === 'chat' ? row : row.chosen;
  return messages.filter(({ role }) => role !== 'system').slice(0, -1);
}

/** Turns that are learned from, by index. @param maskHistory the last turn alone */
export function learnedTurns(
  { messages, answersFrom, unlearned = [] }: Omit<Conversation, 'kind'>,
  maskHistory = false,
): number[] {
  const last = messages.length - 1;
  return messages
    .flatMap(({ role }, i) => (role === 'assistant' ? [i] : []))
    .filter((i) => i >= (maskHistory ? last : answersFrom) && !unlearned.includes(i));
}

/** @returns why a conversation cannot be trained, null where it can */
export function conversationFault(conversation: Omit<Conversation, 'kind'>): string | null {
  const { messages } = conversation;
  if (messages.every(({ role }) => role === 'system'))
    return 'has no turns: there is nothing to learn. Write a question and an answer or remove the row.';
  if (messages.at(-1)!.role !== 'assistant')
    return 'does not end with the assistant: the last question has no answer. Add it, or remove that turn.';
  const learned = learnedTurns(conversation);
  if (learned.length === 0)
    return 'has no answer to learn from: every one is marked as only read (weight 0, train false). Remove the row, or unmark an answer.';
  if (learned.some((turn) => isEmpty(messages[turn]!)))
    return 'has an empty answer: there is nothing to learn. Write one or remove the row.';
  return surrogateFault(conversation);
}

/** @returns why no answer can be sampled to a prompt, null where it can */
export function promptFault(prompt: Prompt): string | null {
  const last = prompt.messages.at(-1);
  if (!last || last.role === 'system' || last.role === 'assistant')
    return 'has a prompt that does not end with a question: there is nothing to answer. Write one or remove the row.';
  if (last.content.trim() === '') return 'has an empty prompt. Write one or remove the row.';
  return surrogateFault(prompt);
}

function isEmpty({ content, tool_calls }: ChatMessage): boolean {
  return content.trim() === '' && !tool_calls;
}

/** @returns what is wrong where a text cannot be written as UTF-8 */
function surrogateFault({ messages }: Pick<Conversation, 'messages'>): string | null {
  const found = messages.find(({ content }) => hasLoneSurrogate(content));
  return found ? LONE_SURROGATE : null;
}

export const LONE_SURROGATE =
  'has half of a character (a lone surrogate such as \\ud83d), which is no text: it was cut in the middle of an emoji. Mend or remove it.';

export function hasLoneSurrogate(text: string): boolean {
  return /[\ud800-\udfff]/u.test(text);
}
