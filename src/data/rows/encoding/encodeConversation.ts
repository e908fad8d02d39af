/** Conversations as ids and labels: what is learned of each, and how a row becomes documents. */
import type { ChatMessage } from '../../template/chatMessage.ts';
import type { ChatTokenizer } from '../../tokenizer/chatTokenizer.ts';
import { IGNORE_INDEX } from '../../types.ts';
import { learnedTurns, saidIn, type Conversation } from '../conversation.ts';

export interface EncodingSettings {
  /** Of rows without a system message of their own. null: none; '': an empty one. */
  systemPrompt: string | null;
  /** As templates print it: `26 Jul 2024`. */
  dateString: string;
  /** Of a conversation only the last answer is learned from. */
  maskHistory?: boolean;
}

export interface EncodedRow {
  promptText: string;
  fullText: string;
  /** Up to the last answer. */
  promptIds: number[];
  inputIds: number[];
  /**
   * null where the ids of a prompt, or of the conversation up to an answer, are not how the row's ids begin.
   */
  labels: number[] | null;
  /** What the person says last, and the answer to it. */
  question: string;
  answer: string;
}

/** A row's documents, each with labels. */
export interface EncodedDocument extends EncodedRow {
  labels: number[];
}

export interface EncodedConversation {
  documents: EncodedDocument[];
  /** Answers whose white space at the beginning had to be taken off. */
  trimmedAnswers: number;
}

type Turns = Omit<Conversation, 'kind'>;

/**
 * One document with every answer supervised, where each prompt and each conversation up to an answer is how
 * the whole begins. Else, as the template renders a turn otherwise once more turns follow, one document an
 * answer: the conversation as it is at that turn. White space at an answer's beginning that merges with the
 * prompt is taken off.
 * @returns null where no mask can be made
 * @throws TemplateError where the template refuses the messages
 */
export function encodeConversation(
  turns: Turns,
  tokenizer: ChatTokenizer,
  settings: EncodingSettings,
): EncodedConversation | null {
  const whole = prepared(turns, settings);
  const asOne = encodePrepared(whole, tokenizer, settings);
  if (asOne.labels) return { documents: [asOne as EncodedDocument], trimmedAnswers: 0 };
  const trimmed = trimmedTurns(whole);
  if (trimmed.count > 0) {
    const again = encodePrepared(trimmed.turns, tokenizer, settings);
    if (again.labels) return { documents: [again as EncodedDocument], trimmedAnswers: trimmed.count };
  }
  const documents: EncodedDocument[] = [];
  let trimmedAnswers = 0;
  for (const turn of whole.learned) {
    const upTo = (messages: readonly ChatMessage[]) =>
      encodePrepared(upToAnswer(whole, turn, messages), tokenizer, settings);
    let encoded = upTo(whole.messages);
    if (!encoded.labels) {
      const answer = trimmedAnswer(whole.messages[turn]!);
      if (answer === null) return null;
      encoded = upTo(whole.messages.with(turn, answer));
      trimmedAnswers++;
    }
    if (!encoded.labels) return null;
    documents.push(encoded as EncodedDocument);
  }
  return { documents, trimmedAnswers };
}

/**
 * A conversation as one document, whatever the template does: labels are null where no mask can be made so.
 * @throws TemplateError where the template refuses the messages
 */
export function encodeWhole(turns: Turns, tokenizer: ChatTokenizer, settings: EncodingSettings): EncodedRow {
  return encodePrepared(prepared(turns, settings), tokenizer, settings);
}

/**
 * The ids from which an answer is sampled, with the generation prompt.
 * @throws TemplateError where the template refuses these messages
 */
export function encodePrompt(
  messages: readonly ChatMessage[],
  tools: readonly unknown[] | undefined,
  tokenizer: ChatTokenizer,
  { systemPrompt, dateString }: EncodingSettings,
): number[] {
  const isGiven = systemPrompt === null || messages[0]?.role === 'system';
  const all: readonly ChatMessage[] = isGiven
    ? messages
    : [{ role: 'system', content: systemPrompt }, ...messages];
  return tokenizer.encode(
    tokenizer.render(all, { addGenerationPrompt: true, dateString, ...(tools ? { tools } : {}) }),
  );
}

/** @throws TemplateError where the template refuses these messages */
export function encodeRow(
  { query, response }: { query: string; response: string },
  tokenizer: ChatTokenizer,
  settings: EncodingSettings,
): EncodedRow {
  const messages: ChatMessage[] = [
    { role: 'user', content: query },
    { role: 'assistant', content: response },
  ];
  return encodeWhole({ messages, answersFrom: 1 }, tokenizer, settings);
}

/** Turns with the system message that they get, and those that are learned by index. */
export interface Prepared {
  messages: readonly ChatMessage[];
  learned: readonly number[];
  tools?: readonly unknown[];
}

export function prepared(turns: Turns, { systemPrompt, maskHistory }: EncodingSettings): Prepared {
  const learned = learnedTurns(turns, maskHistory);
  const { messages, tools } = turns;
  if (systemPrompt === null || messages[0]?.role === 'system') return { messages, learned, tools };
  return {
    messages: [{ role: 'system', content: systemPrompt }, ...messages],
    learned: learned.map((turn) => turn + 1),
    tools,
  };
}

export function encodePrepared(
  { messages, learned, tools }: Prepared,
  tokenizer: ChatTokenizer,
  { dateString }: EncodingSettings,
): EncodedRow {
  const last = messages.length - 1;
  const thinks = (turn: number) => isThinking(messages[turn]!);
  const render = (count: number, addGenerationPrompt: boolean, thinking: boolean) =>
    tokenizer.render(messages.slice(0, count), { addGenerationPrompt, dateString, tools, thinks: thinking });
  const anyThinks = learned.some(thinks);
  const fullText = render(messages.length, false, anyThinks);
  const inputIds = tokenizer.encode(fullText);
  const promptText = render(last, true, thinks(last));
  const promptIds = tokenizer.encode(promptText);
  const begins = (ids: readonly number[]) =>
    ids.length <= inputIds.length && ids.every((id, i) => id === inputIds[i]);
  let labels: number[] | null = new Array<number>(inputIds.length).fill(IGNORE_INDEX);
  for (const turn of learned) {
    const before = turn === last ? promptIds : tokenizer.encode(render(turn, true, thinks(turn)));
    const after = turn === last ? inputIds : tokenizer.encode(render(turn + 1, false, anyThinks));
    if (!begins(before) || !begins(after)) {
      labels = null;
      break;
    }
    for (let p = before.length; p < after.length; p++) labels[p] = inputIds[p]!;
  }
  const question = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  return { promptText, fullText, promptIds, inputIds, labels, question, answer: saidIn(messages[last]!) };
}

/**
 * What the documents of a conversation may be of, in the order in which `encodeConversation` tries them: the
 * whole, and each answer with what stands before it.
 */
export function* documentCandidates(
  turns: Turns,
  settings: EncodingSettings,
): Generator<{ made: Prepared; trimmed: boolean }> {
  const whole = prepared(turns, settings);
  yield { made: whole, trimmed: false };
  const trimmed = trimmedTurns(whole);
  if (trimmed.count > 0) yield { made: trimmed.turns, trimmed: true };
  for (const turn of whole.learned) {
    yield { made: upToAnswer(whole, turn, whole.messages), trimmed: false };
    const answer = trimmedAnswer(whole.messages[turn]!);
    if (answer) yield { made: upToAnswer(whole, turn, whole.messages.with(turn, answer)), trimmed: true };
  }
}

/** An answer as the only one that is learned, after what stands before it. */
function upToAnswer(whole: Prepared, turn: number, messages: readonly ChatMessage[]): Prepared {
  return { ...whole, messages: messages.slice(0, turn + 1), learned: [turn] };
}

/** Whether an answer thinks before it answers. */
export function isThinking({ content, reasoning }: ChatMessage): boolean {
  return reasoning !== undefined || /<think>\s*\S[\s\S]*<\/think>/.test(content);
}

function trimmedTurns(turns: Prepared): { turns: Prepared; count: number } {
  let count = 0;
  const messages = turns.messages.map((message, i) => {
    const trimmed = turns.learned.includes(i) ? trimmedAnswer(message) : null;
    if (trimmed) count++;
    return trimmed ?? message;
  });
  return { turns: { ...turns, messages }, count };
}

/** The answer without white space at its beginning; null where it has none, or nothing else. */
function trimmedAnswer(message: ChatMessage): ChatMessage | null {
  const content = message.content.trimStart();
  return content === message.content || content === '' ? null : { ...message, content };
}

/** A raw text: everything is learned from, the end token included. */
export function encodeText(text: string, tokenizer: ChatTokenizer): EncodedDocument {
  const inputIds = tokenizer.encodeText(text);
  return {
    promptText: '',
    fullText: text,
    promptIds: [],
    inputIds,
    labels: [...inputIds],
    question: '',
    answer: text,
  };
}
