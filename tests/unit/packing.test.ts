import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bestFitDecreasing } from '../../src/data/bestFit.ts';
import { chooseTokensPerMicroBatch, packDocuments, Packing } from '../../src/data/packing.ts';
import { mix32 } from '../../src/lib/counterRandom.ts';
import { BatchSampler } from '../../src/training/batches.ts';
import { packedExamples } from '../../src/training/batching/packedExamples.ts';
import { parseRecipe, stepsOf } from '../../src/training/recipe.ts';

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
    const packed = batches.flatMap(({ spans }) => spans.map(({ index }) => index)).sort();
    expect(packed).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('says what to do about a document longer than a batch', () => {
    expect(() => packDocuments([document(11)], { tokens: 10, padTokenId: 0 })).toThrow(
      /11 tokens, more than the 10 of a micro-batch. Lower max_length/,
    );
  });

  it('packs as trying every batch for every document would', () => {
    const random = (n: number, key: number) => Math.floor((mix32(key) / 2 ** 32) * n);
    for (const [count, longest, tokens] of [
      [1, 5, 32],
      [300, 31, 32],
      [300, 3, 64],
      [500, 90, 100],
      [2000, 700, 1024],
      [400, 1300, 2048 + 32],
    ]) {
      const lengths = Array.from({ length: count }, (_, i) => 1 + random(longest, 977 * count + i));
      const expected = packedByTrying(lengths, tokens);
      const { starts, items, count: bins } = bestFitDecreasing(lengths, tokens);
      const found = Array.from({ length: bins }, (_, b) => [...items.slice(starts[b], starts[b + 1])]);
      expect(found).toEqual(expected);
    }
  });

  it('packs 200,000 documents in little time, each batch when it is asked for', () => {
    const lengths = Uint32Array.from({ length: 200_000 }, (_, i) => 1 + (mix32(i) % 120));
    const asked: number[] = [];
    const ids = new Uint32Array(200);
    const documents = {
      lengths,
      at: (i: number) => (asked.push(i), { inputIds: ids.subarray(0, lengths[i]), labels: ids }),
    };
    const started = performance.now();
    const packing = new Packing(documents, { tokens: 128, padTokenId: 0 });
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(asked).toEqual([]);
    const { spans } = packing.at(packing.batchOf(1234));
    expect(spans.map(({ index }) => index)).toContain(1234);
    expect(asked).toEqual(spans.map(({ index }) => index));
    expect(packing.length).toBeGreaterThanOrEqual(lengths.reduce((a, b) => a + b) / 128);
  });

  describe('T', () => {
    const choose = (lengths: number[] | Uint32Array, examplesPerBatch: number, limit: number, seed = 42) =>
      chooseTokensPerMicroBatch(lengths, { seed, examplesPerBatch, limit });

    it('holds the longest row, as the next multiple of 32', () => {
      expect(choose([5], 4, 1024)).toBe(32);
      expect(choose([30, 31, 33], 1, 1024)).toBe(64);
      expect(choose([100, 7, 8], 4, 1024)).toBe(128);
      expect(choose([100, 7, 8], 4, 64)).toBe(128);
      expect(choose([], 4, 1024)).toBe(32);
    });

    it('holds nine of ten batches, but no more than the limit', () => {
      expect(choose(new Array<number>(100).fill(10), 8, 1024)).toBe(96);
      expect(choose(new Array<number>(100).fill(60), 4, 1024)).toBe(256);
      expect(choose(new Array<number>(100).fill(60), 4, 200)).toBe(224);
      const rare = Uint32Array.from({ length: 1000 }, (_, i) => (i < 20 ? 400 : 10));
      expect(choose(rare, 1, 1024)).toBe(416);
    });

    it('looks at the batches that training makes, not at neighbours in the file', () => {
      // Sorted by length: neighbours are alike, and a tenth of all batches of neighbours are of long rows
      // alone.
      const sorted = Uint32Array.from({ length: 4000 }, (_, i) => (i < 3400 ? 8 : 120));
      const recipe = parseRecipe({ training: { per_device_train_batch_size: 8 } });
      const sampler = new BatchSampler(sorted, recipe);
      const tokens = Array.from({ length: sampler.stepsPerEpoch }, (_, step) =>
        sampler.rowsOf(step).reduce((sum, row) => sum + sorted[row], 0),
      );
      const chosen = choose(sorted, 8, 4096);
      expect(chosen).toBeLessThan(8 * 120);
      const fit = tokens.filter((sum) => sum <= chosen).length / tokens.length;
      const fitLess = tokens.filter((sum) => sum <= chosen - 32).length / tokens.length;
      expect(fit).toBeGreaterThanOrEqual(0.9);
      expect(fitLess).toBeLessThan(0.9);
    });

    it('is chosen for 200,000 rows', () => {
      expect(choose(new Uint32Array(200_000).fill(60), 4, 1024)).toBe(256);
    });
  });
});

describe('examples of packed rows', () => {
  const cases = JSON.parse(
    readFileSync(new URL('../fixtures/packing.json', import.meta.url), 'utf8'),
  ) as Record<string, { max_length: number; lengths: number[]; bins: number[][] }>;

  it.each(Object.entries(cases))('are those of TRL: %s', (_, { max_length, lengths, bins }) => {
    const { starts, items, count } = packedExamples(lengths, max_length);
    const mine = Array.from({ length: count }, (_bin, b) => [...items.subarray(starts[b], starts[b + 1])]);
    expect(mine).toEqual(bins);
  });

  const { max_length, lengths, bins } = cases['several batches'];
  const recipe = parseRecipe({
    max_length,
    training: { packing: true, per_device_train_batch_size: 4, num_train_epochs: 2 },
  });

  it('make the steps of a run: so many bins each, every row once an epoch', () => {
    const sampler = new BatchSampler(lengths, recipe);
    expect(sampler.stepsPerEpoch).toBe(Math.ceil(bins.length / 4));
    expect(stepsOf(recipe, lengths)).toBe(2 * sampler.stepsPerEpoch);
    const binOf = new Map(bins.flatMap((rows, bin) => rows.map((row) => [row, bin] as const)));
    const seen: number[] = [];
    for (let step = 0; step < sampler.stepsPerEpoch; step++) {
      const rows = [...sampler.rowsOf(step)];
      seen.push(...rows);
      const drawn = new Set(rows.map((row) => binOf.get(row)!));
      expect(drawn.size).toBe(step === sampler.stepsPerEpoch - 1 ? bins.length % 4 || 4 : 4);
      expect(rows.length).toBe([...drawn].reduce((sum, bin) => sum + bins[bin].length, 0));
    }
    expect(seen.sort((a, b) => a - b)).toEqual([...lengths.keys()]);
    for (const row of [0, 1, 999, 1000, 2299])
      expect([...sampler.rowsOf(sampler.firstStepOf(row))]).toContain(row);
  });

  it('are of sft alone, by the strategy bfd alone', () => {
    expect(() => parseRecipe({ method: 'dpo', training: { packing: true } })).toThrow(
      /"training.packing" is true, which the method dpo does not read/,
    );
    expect(() => parseRecipe({ training: { packing_strategy: 'wrapped' as 'bfd' } })).toThrow(
      /"training.packing_strategy" is "wrapped": it must be "bfd"/,
    );
  });
});

/** The definition: each document, the longest first, in the fullest bin that holds it. */
function packedByTrying(lengths: readonly number[], tokens: number): number[][] {
  const bins: { items: number[]; used: number }[] = [];
  for (const i of [...lengths.keys()].sort((a, b) => lengths[b] - lengths[a] || a - b)) {
    let best: (typeof bins)[number] | undefined;
    for (const bin of bins)
      if (bin.used + lengths[i] <= tokens && (!best || bin.used > best.used)) best = bin;
    if (!best) bins.push((best = { items: [], used: 0 }));
    best.items.push(i);
    best.used += lengths[i];
  }
  return bins.map(({ items }) => items);
}
