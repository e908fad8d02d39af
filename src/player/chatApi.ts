/** What a page asks of a played model, and what it gets. */
import type { AnswerEnd } from '../data/tokenizer/answerText.ts';

export interface ChatOptions {
  /** Name of the adapter that answers; null: the base model; absent: the first adapter. */
  adapter?: string | null;
  /** How strongly the adapter acts: 1 as it was trained, 0 not at all. */
  scale?: number;
  /** Ahead of the conversation; null: none; absent: the one of the training. */
  system?: string | null;
  maxNewTokens?: number;
  /** 0: the likeliest token each time. */
  temperature?: number;
  topP?: number;
  seed?: number;
  /** Ends the answer as it is. */
  signal?: AbortSignal;
}

export interface Answer {
  text: string;
  /** Of the answer, the end token included. */
  ids: number[];
  /** Of the prompt. */
  promptIds: number[];
  ended: AnswerEnd;
  /** From the call to the first token, in milliseconds. */
  firstTokenMs: number;
  /** All tokens of the answer over the time from the call to the last of them. */
  tokensPerSecond: number;
}
