/** A last look at the ids of a batch: a kernel would read another token's row, or none, in silence. */
import type { MicroBatch } from '../data/types.ts';

/** @throws Error where an id or a target has no row in the model's tables */
export function checkBatchIds({ inputIds, targets }: MicroBatch, vocabularySize: number): void {
  checkIds(inputIds, vocabularySize);
  checkIds(targets, vocabularySize);
}

/**
 * @throws Error where an id has no row in the model's tables; below 0 there are positions without a target
 */
export function checkIds(ids: ArrayLike<number>, vocabularySize: number): void {
  for (let i = 0; i < ids.length; i++)
    if (ids[i] >= vocabularySize)
      throw new Error(
        `the id ${ids[i]} at place ${i} is not below the model's vocab_size, ${vocabularySize}`,
      );
}
