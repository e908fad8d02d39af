/** Extremes of arrays that are too long for the arguments of a call, in every place that has such arrays. */
import { describe, expect, it } from 'vitest';
import { buildDataset } from '../../src/data/documents.ts';
import { Packing } from '../../src/data/packing.ts';
import { openJoinedRows } from '../../src/data/rows/joinedRows.ts';
import { histogramOf } from '../../src/data/rows/rowStatistics.ts';
import { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import { engineRequest } from '../../src/engine/engineRequest.ts';
import { largest, placeOfBest, smallest } from '../../src/lib/extremes.ts';
import { shuffled } from '../../src/lib/random.ts';
import { BatchSampler } from '../../src/training/batches.ts';
import type { MetricsLine } from '../../src/training/metrics.ts';
import { parseRecipe, stepsOf } from '../../src/training/recipe.ts';
import { lossesOf } from '../../src/worker/trainer/runStore.ts';
import { TINY_TOKENIZER, TINY_TOKENIZER_CONFIG } from '../helpers/tinyModel.ts';

const MANY = 200_000;

describe('extremes', () => {
  it('have a place: that of the first of equals, of the first value where it is NaN', () => {
    const least = (value: number, best: number) => value < best;
    expect(placeOfBest([3, 1, 2, 1], least)).toBe(1);
    expect(placeOfBest(Float64Array.of(3, 4, 5), (value, best) => value > best)).toBe(2);
    expect(placeOfBest([NaN, 1], least)).toBe(0);
    expect(placeOfBest([], least)).toBe(-1);
  });

  it('of 200,000 values, typed or not', () => {
    const values = Array.from({ length: MANY }, (_, i) => ((i * 7919) % MANY) - 5);
    for (const some of [values, Float64Array.from(values), new Set(values)]) {
      expect(largest(some)).toBe(MANY - 6);
      expect(smallest(some)).toBe(-5);
    }
    expect(largest({ length: 2, 0: 3, 1: 4 })).toBe(4);
  });

  it('of none are the bound, which no value is beyond', () => {
    expect([largest([]), smallest([])]).toEqual([-Infinity, Infinity]);
    expect([largest([], 7), largest([3], 7), largest([9], 7)]).toEqual([7, 7, 9]);
    expect([smallest([], 7), smallest([9], 7), smallest([3], 7)]).toEqual([7, 7, 3]);
  });

  it('reads, packs and orders 70,000 rows of a file', async () => {
    const rows = Array.from({ length: 70_000 }, (_, i) => `{"text":"${i}"}\n`);
    const settings = { systemPrompt: null, maxLength: 64, dateString: '26 Jul 2024' };
    const read = await openJoinedRows([{ name: 'train.jsonl', blob: new Blob([rows.join('')]) }]);
    const tokenizer = new ChatTokenizer({
      'tokenizer.json': TINY_TOKENIZER,
      'tokenizer_config.json': TINY_TOKENIZER_CONFIG,
    });
    const { documents, problems, repeats } = await buildDataset('train.jsonl', read, tokenizer, settings);
    expect([documents.length, problems.length, repeats.rows]).toEqual([70_000, 0, 0]);
    for (const training of [{}, { packing: true }, { group_by_length: true }]) {
      const recipe = parseRecipe({ max_length: 64, training: { num_train_epochs: 1, ...training } });
      const sampler = new BatchSampler(documents.lengths, recipe);
      const seen = new Set<number>();
      const steps = stepsOf(recipe, documents.lengths);
      for (let step = 0; step < steps; step++) for (const row of sampler.rowsOf(step)) seen.add(row);
      expect(seen.size).toBe(70_000);
    }
    const packed = new Packing(documents, { tokens: 1024, padTokenId: 0 });
    expect(packed.length).toBeGreaterThan(300);
  });

  it('are found for the engine and for the histogram of as many rows', () => {
    const lengths = Uint32Array.from({ length: MANY }, (_, i) => 1 + (i % 300));
    const { tokensPerMicroBatch, memoryAim } = engineRequest(
      {
        recipe: parseRecipe({ training: { per_device_train_batch_size: 1 } }),
        trainLengths: lengths,
        longestValidation: 10,
        kernels: { level: 'auto' } as Parameters<typeof engineRequest>[0]['kernels'],
      },
      { config: {}, tensors: new Map(), stream: () => Promise.reject(new Error('not here')) as never },
    );
    expect([tokensPerMicroBatch, memoryAim.leastTokens]).toEqual([320, 320]);
    expect(histogramOf(lengths).counts.reduce((a, b) => a + b)).toBe(MANY);
  });
});

/** As version 0.1.0 made them. */
const ORDERS = [
  [4, 1, 5, 2, 3, 7, 6, 0],
  [6, 2, 5, 7, 3, 4, 0, 1],
  [2, 1, 4, 7, 3, 6, 0, 5],
];

describe('the order of an epoch', () => {
  it('is what it was in earlier versions: resumed runs train the same rows', () => {
    expect([...shuffled(8, 42, 0)]).toEqual(ORDERS[0]);
    expect([...shuffled(8, 42, 1)]).toEqual(ORDERS[1]);
    expect([...shuffled(8, 7, 0)]).toEqual(ORDERS[2]);
  });
});

describe('losses of a run', () => {
  it('are found over 200,000 steps, for a validation set of any name', () => {
    const lines: MetricsLine[] = Array.from({ length: MANY }, (_, i) => ({ step: i, epoch: 0, loss: 9 - i }));
    lines.push(...[3, 1, 2].map((loss, step) => ({ step, epoch: 0, eval___proto___loss: loss })));
    const losses = lossesOf(lines);
    expect(Object.keys(losses)).toEqual(['training', '__proto__']);
    expect(losses.training).toEqual({ start: 9, best: 10 - MANY, end: 10 - MANY });
    // As IndexedDB keeps it.
    expect(Object.entries(structuredClone(losses))[1]).toEqual(['__proto__', { start: 3, best: 1, end: 2 }]);
  });
});
