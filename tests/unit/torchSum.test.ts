/**
 * The mean of a tensor's scales enters each of its NF4 scales, so that its sum has PyTorch's rounding to the
 * last bit.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { torchSum } from '../../src/quant/torchSum.ts';

/** tests/interop/make_torch_sums.py wrote it. */
const { sums } = JSON.parse(readFileSync(new URL('../fixtures/torchSums.json', import.meta.url), 'utf8')) as {
  sums: Record<string, number>;
};

function values(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (Math.imul(i, 2654435761) >>> 0) / 2 ** 32 + 1 / 128);
}

describe('torchSum', () => {
  it.each(Object.entries(sums))("of %s values is PyTorch's sum, bit for bit", (count, expected) => {
    expect(torchSum(values(Number(count)))).toBe(expected);
  });

  it('is held to more than a sum from left to right', () => {
    const differs = Object.entries(sums).filter(
      ([count, expected]) =>
        values(Number(count)).reduce((sum, value) => Math.fround(sum + value), 0) !== expected,
    );
    expect(differs.length).toBeGreaterThan(10);
  });
});
