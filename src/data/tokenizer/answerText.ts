/** The text of generated ids, and why an answer ended. */
import type { ChatTokenizer } from './chatTokenizer.ts';

/** end: by an end token; length: by the most new tokens; stopped: by the person. */
export type AnswerEnd = 'end' | 'length' | 'stopped';

/** An answer that is complete. */
export function whole(tokenizer: ChatTokenizer, ids: readonly number[]): string {
  return tokenizer.decode(ids, { skipSpecial: true }).trim();
}

/** Text so far; a character of which only some bytes are there is held back. */
export function growing(tokenizer: ChatTokenizer, ids: readonly number[]): string {
  return tokenizer
    .decode(ids, { skipSpecial: true })
    .replace(/\ufffd+$/, '')
    .trimStart();
}

export function ended(
  ids: readonly number[],
  { stopTokenIds }: ChatTokenizer,
  { maxNewTokens }: { maxNewTokens: number },
): AnswerEnd {
  if (ids.length > 0 && stopTokenIds.includes(ids.at(-1)!)) return 'end';
  return ids.length >= maxNewTokens ? 'length' : 'stopped';
}
