/** Prompts with their answers as sequences, packed into micro-batches. */
import { packDocuments, type BatchShape } from '../../data/packing.ts';
import { IGNORE_INDEX, type MicroBatch } from '../../data/types.ts';
import type { ScoredSequence } from './answerScores.ts';

export function sequenceOf(prompt: ArrayLike<number>, answer: ArrayLike<number>): ScoredSequence {
  const ids = (list: ArrayLike<number>) => Array.from(list);
  return {
    inputIds: [...ids(prompt), ...ids(answer)],
    labels: [...new Array<number>(prompt.length).fill(IGNORE_INDEX), ...ids(answer)],
  };
}

/**
 * Micro-batches whose spans point into `sequences`.
 * @param isWhole whether the prompt's tokens of a sequence are scored too, as ORPO needs of chosen answers
 */
export function packSequences(
  sequences: readonly ScoredSequence[],
  shape: BatchShape,
  isWhole: (sequence: number) => boolean = () => false,
): MicroBatch[] {
  return packDocuments(
    sequences.map(({ inputIds, labels }, i) => ({ inputIds, labels: isWhole(i) ? inputIds : labels })),
    shape,
  );
}

/** Whether ORPO scores the prompt's tokens of a sequence of pairs: of the chosen answers, which are even. */
export function isScoredWhole(method: string): (sequence: number) => boolean {
  return (sequence) => method === 'orpo' && sequence % 2 === 0;
}
