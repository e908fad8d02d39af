/** Prompts whose answers a method samples itself, as documents of which nothing is learned. */
import { saidIn, type Conversation, type Row } from '../conversation.ts';
import { encodePrompt } from './encodeConversation.ts';
import type { DocumentSettings, Refusal, RowDocument, RowDocuments } from './documentTypes.ts';
import { beyondVocabulary, notPrinted } from './rowChecks.ts';
import type { ChatTokenizer } from '../../tokenizer/chatTokenizer.ts';
import { IGNORE_INDEX } from '../../types.ts';

/** Why no prompt can be made of a row, where prompts are what is read. */
export function promptReadingFault(row: Row, only: boolean): string | null {
  if (row.kind === 'preference' || (row.kind === 'chat' && row.label !== undefined))
    return 'is a preference row, which this method cannot learn from: it samples answers to prompts. Use a preference method such as dpo or kto.';
  return row.kind === 'text' && only
    ? 'is a raw text, which asks nothing: this method samples answers to prompts. Write a "prompt", or use the method sft.'
    : null;
}

/** The prompt of a row whose answers are to be sampled: all before its last answer. */
export function promptOf(row: Row, preferences: DocumentSettings['preferences']): PromptToAnswer | null {
  if (typeof preferences !== 'object' || preferences.as !== 'prompts' || !preferences.only) return null;
  if (row.kind === 'prompt') return row;
  if (row.kind !== 'chat') return null;
  const { messages, tools } = row;
  return { messages: messages.slice(0, -1), tools, reference: saidIn(messages.at(-1)!) };
}

export type PromptToAnswer = Pick<Conversation, 'messages' | 'tools'> & { reference: string | null };

export function promptDocument(
  { messages, tools, reference }: PromptToAnswer,
  line: number,
  tokenizer: ChatTokenizer,
  settings: DocumentSettings,
): RowDocuments | Refusal {
  if (messages.at(-1)?.role !== 'user' && messages.at(-1)?.role !== 'tool')
    return {
      kind: 'bad',
      reason: 'has no question before its answer: there is nothing to sample an answer to. Remove the row.',
    };
  const cannot = notPrinted({ kind: 'chat', messages, tools, answersFrom: 0 }, tokenizer);
  if (cannot) return { kind: 'bad', reason: cannot };
  const inputIds = encodePrompt(messages, tools, tokenizer, settings);
  const beyond = beyondVocabulary(inputIds, tokenizer);
  if (beyond) return { kind: 'bad', reason: beyond };
  const { preferences, maxLength } = settings;
  const answerTokens = (typeof preferences === 'object' && preferences.answerTokens) || 0;
  if (inputIds.length + answerTokens > maxLength)
    return {
      kind: 'limit',
      reason: `leaves no room for an answer: its prompt has ${inputIds.length} tokens, max_completion_length is ${answerTokens} and max_length ${maxLength}. Raise max_length, or shorten the prompt.`,
    };
  const question = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  const document: RowDocument = {
    inputIds,
    labels: inputIds.map(() => IGNORE_INDEX),
    promptTokens: inputIds.length,
    truncatedTokens: 0,
    line,
    question,
    answer: reference ?? '',
    prompt: { reference },
  };
  return { documents: [document], trimmedAnswers: 0, lostAnswers: [] };
}
