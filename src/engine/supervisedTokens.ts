import type { MicroBatch } from '../data/types.ts';

/**
 * The supervised tokens of a step's micro-batches.
 * @param step 0-based, for the message
 * @throws Error where there is none
 */
export function supervisedTokens(microBatches: readonly MicroBatch[], step: number): number {
  const supervised = microBatches.reduce((sum, batch) => sum + batch.supervisedTokens, 0);
  if (supervised === 0)
    throw new Error(`step ${step + 1} has no supervised token: every answer in it is empty`);
  return supervised;
}
