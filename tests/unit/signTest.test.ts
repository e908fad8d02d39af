import { describe, expect, it } from 'vitest';
import { signTest } from '../../src/lib/signTest.ts';

describe('sign test', () => {
  // scipy.stats.binomtest(k, n).pvalue
  it.each([
    [0, 0, 1],
    [1, 0, 1],
    [5, 5, 1],
    [6, 0, 0.03125],
    [9, 1, 0.021484375],
    [1, 9, 0.021484375],
    [20, 8, 0.03569813817739487],
  ])('of %i against %i', (a, b, chance) => expect(signTest(a, b)).toBeCloseTo(chance, 12));
});
