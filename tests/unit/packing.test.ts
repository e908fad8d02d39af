import { describe, expect, it } from 'vitest';
import { chooseTokensPerMicroBatch, packDocuments } from '../../src/data/packing.ts';

const document = (length: number, first = 0) => {
  const inputIds = Array.from({ length }, (_, i) => first + i);
  return { inputIds, labels: inputIds.map((id, i) => (i < 2 ? -100 : id)) };
};

describe('packing', () => {
  it('lays documents end to end with positions, borders and shifted targets', () => {
    const [batch, ...others] = packDocuments([document(3, 10), document(5, 20)], {
      tokens: 10,
      padTokenId: 9,
    });
    expect(others).toEqual([]);
    expect([...batch.inputIds]).toEqual([20, 21, 22, 23, 24, 10, 11, 12, 9, 9]);
    expect([...batch.positions]).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 0, 0]);
    expect([...batch.documentStart]).toEqual([0, 0, 0, 0, 0, 5, 5, 5, 8, 9]);
    expect([...batch.documentEnd]).toEqual([5, 5, 5, 5, 5, 8, 8, 8, 9, 10]);
    expect([...batch.targets]).toEqual([-1, 22, 23, 24, -1, -1, 12, -1, -1, -1]);
    expect([...batch.documentIndex].slice(0, 8)).toEqual([1, 1, 1, 1, 1, 0, 0, 0]);
    expect(batch.supervisedTokens).toBe(4);
  });

  it('fills best fit decreasing: as few batches as these lengths allow', () => {
    const batches = packDocuments(
      [7, 5, 5, 3, 2, 8].map((length) => document(length)),
      { tokens: 10, padTokenId: 0 },
    );
    expect(batches.map(({ spans }) => spans.map(({ length }) => length))).toEqual([
      [8, 2],
      [7, 3],
      [5, 5],
    ]);
    const members = batches.flatMap(({ spans }) => spans.map(({ index }) => index)).sort();
    expect(members).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('says what to do about a document longer than a batch', () => {
    expect(() => packDocuments([document(11)], { tokens: 10, padTokenId: 0 })).toThrow(
      /11 tokens, more than the 10 of a micro-batch. Lower max_length/,
    );
  });

  it('chooses T to hold the longest row, a multiple of 32', () => {
    for (const lengths of [[5], [30, 31, 33], [100, 7, 8]]) {
      const tokens = chooseTokensPerMicroBatch(lengths, 4, 1024);
      expect(tokens % 32).toBe(0);
      expect(tokens).toBeGreaterThanOrEqual(Math.max(...lengths));
    }
  });
});
