/**
 * Log-probabilities of answers from the losses of packed tokens, and the way back: slopes of answers as
 * weights of tokens.
 */
import { IGNORE_INDEX, type MicroBatch } from '../../data/types.ts';
import type { AnswerScore } from './pairLosses.ts';

/** Ids of a prompt with its answer, and which of them are the answer's. */
export interface ScoredSequence {
  inputIds: ArrayLike<number>;
  /** IGNORE_INDEX where the id is no part of the answer. */
  labels: ArrayLike<number>;
}

/**
 * Calls `use` with each target of a sequence: its place in the batch's arrays, and whether it is the
 * answer's.
 */
export function forTargets(
  { spans }: MicroBatch,
  sequences: readonly ScoredSequence[],
  use: (sequence: number, place: number, isAnswer: boolean) => void,
): void {
  for (const { index, start, length } of spans) {
    const { labels } = sequences[index];
    for (let p = 1; p < length; p++) use(index, start + p - 1, labels[p] !== IGNORE_INDEX);
  }
}

/**
 * @param batches whose spans point into `sequences`
 * @param losses cross entropy of each token of each batch
 */
export function answerScores(
  batches: readonly MicroBatch[],
  sequences: readonly ScoredSequence[],
  losses: readonly Float32Array[],
): AnswerScore[] {
  const scores = sequences.map(() => ({ sum: 0, tokens: 0 }));
  batches.forEach((batch, b) =>
    forTargets(batch, sequences, (sequence, place, isAnswer) => {
      if (!isAnswer) return;
      scores[sequence].sum -= losses[b][place];
      scores[sequence].tokens++;
    }),
  );
  return scores;
}

/**
 * The weights with which the losses of tokens enter a step's loss.
 * @param slopes of the loss by each answer's log-probability, whose every token has it
 */
export function tokenWeights(
  batches: readonly MicroBatch[],
  sequences: readonly ScoredSequence[],
  slopes: readonly number[],
): Float32Array[] {
  return batches.map((batch) => {
    const weights = new Float32Array(batch.tokens);
    forTargets(batch, sequences, (sequence, place, isAnswer) => {
      if (isAnswer) weights[place] = -slopes[sequence];
    });
    return weights;
  });
}

/** Log-probabilities of each sequence's answer, token by token. */
export function answerTokens(
  batches: readonly MicroBatch[],
  sequences: readonly ScoredSequence[],
  losses: readonly Float32Array[],
): number[][] {
  const tokens = sequences.map((): number[] => []);
  batches.forEach((batch, b) =>
    forTargets(batch, sequences, (sequence, place, isAnswer) => {
      if (isAnswer) tokens[sequence].push(-losses[b][place]);
    }),
  );
  return tokens;
}
