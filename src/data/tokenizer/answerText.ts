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

/** Whether the last of generated ids is a stop token. */
export function endsWithStop(ids: readonly number[], stopTokenIds: readonly number[]): boolean {
  const last = ids.at(-1);
  return last !== undefined && stopTokenIds.includes(last);
}

export function ended(
  ids: readonly number[],
  { stopTokenIds }: ChatTokenizer,
  { maxNewTokens }: { maxNewTokens: number },
): AnswerEnd {
  if (endsWithStop(ids, stopTokenIds)) return 'end';
  return ids.length >= maxNewTokens ? 'length' : 'stopped';
}
