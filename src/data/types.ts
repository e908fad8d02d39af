/** Documents and micro-batches: the data types between rows and the engine. */

/** Label of a position that is not supervised, as in PyTorch's cross_entropy(ignore_index). */
export const IGNORE_INDEX = -100;

/**
 * One row as it is trained: ids and labels of equal length, and where it came from. A `DocumentTable` holds
 * many.
 */
export interface Document {
  inputIds: Uint32Array;
  /**
   * `IGNORE_INDEX` up to and including the generation prompt, the ids of the answer after it. Not shifted.
   */
  labels: Int32Array;
  /** How many leading ids are the prompt (what generation starts from). */
  promptTokens: number;
  /** How many ids were cut off at the end because the row was longer than max_length; 0 for most. */
  truncatedTokens: number;
  /** File name and 1-based line, for messages. */
  file: string;
  line: number;
}

/**
 * T packed tokens: documents laid end to end, the tail filled with the pad token.
 * All arrays have length T. Attention of token t sees [documentStart[t], t] only.
 * A padding token is a document of its own (start = t, end = t + 1, position 0, target -1).
 */
export interface MicroBatch {
  tokens: number;
  inputIds: Uint32Array;
  /** Restart at 0 in each document. */
  positions: Uint32Array;
  /** Index in [0, T) of the first token of this token's document. */
  documentStart: Uint32Array;
  /** Index in [0, T] one past the last token of this token's document. */
  documentEnd: Uint32Array;
  /**
   * Index of the document within its optimiser step (keys the dropout mask, so that packing does not change
   * it).
   */
  documentIndex: Uint32Array;
  /** Id of the next token where it is supervised, else -1 (labels shifted by one within the document). */
  targets: Int32Array;
  /** Where each document lies; `index` points into the list that was packed. */
  spans: { index: number; start: number; length: number }[];
  /** How many targets are not -1. */
  supervisedTokens: number;
}
