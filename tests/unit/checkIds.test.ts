import { expect, it } from 'vitest';
import { checkBatchIds } from '../../src/engine/checkIds.ts';
import type { MicroBatch } from '../../src/data/types.ts';

it('refuses ids and targets that the model has no row for, before a kernel sees them', () => {
  const batch = (inputIds: number[], targets: number[]) =>
    ({ inputIds: Uint32Array.from(inputIds), targets: Int32Array.from(targets) }) as MicroBatch;
  expect(() => checkBatchIds(batch([0, 9], [9, -1]), 10)).not.toThrow();
  expect(() => checkBatchIds(batch([0, 10], [9, -1]), 10)).toThrow(/id 10 at place 1.*vocab_size, 10/);
  expect(() => checkBatchIds(batch([0, 9], [10, -1]), 10)).toThrow(/id 10 at place 0/);
});
