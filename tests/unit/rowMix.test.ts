/** Files mixed by a ratio: counts of every epoch, which documents come how often, and what is refused. */
import { describe, expect, it } from 'vitest';
import { BatchSampler } from '../../src/training/batches.ts';
import { parseRecipe } from '../../src/training/recipe.ts';
import { mixedOrder, mixFault, rowMix } from '../../src/training/batching/rowMix.ts';

/** 100 chunks of a book, 20 rows of chat. */
const FILES = { names: ['book.txt', 'chat.jsonl'], firsts: [0, 100] };
const DOCUMENTS = 120;

describe('files mixed by a ratio', () => {
  it('have their shares of every epoch, and each document as often as any other of its file', () => {
    const mix = rowMix(FILES, DOCUMENTS, { 'data/book.txt': 1, 'data/chat.jsonl': 2 })!;
    expect(mix).toEqual([
      { first: 0, end: 100, drawn: 40 },
      { first: 100, end: 120, drawn: 80 },
    ]);
    const times = new Uint32Array(DOCUMENTS);
    for (let epoch = 0; epoch < 5; epoch++) {
      const order = [...mixedOrder(mix, 42, epoch)];
      expect(order.length).toBe(DOCUMENTS);
      expect(order.filter((document) => document < 100).length).toBe(40);
      for (const document of order) times[document]++;
      // No document of the book comes twice before all of them came once.
      expect(Math.max(...times.slice(0, 100)) - Math.min(...times.slice(0, 100))).toBeLessThanOrEqual(1);
      expect([...times.slice(100)]).toEqual(new Array(20).fill(4 * (epoch + 1)));
    }
    expect([...times.slice(0, 100)]).toEqual(new Array(100).fill(2));
    // Mixed, not one file after the other; the same again by the same seed.
    const order = mixedOrder(mix, 42, 0);
    const inFirstHalf = order.slice(0, 60).filter((document) => document < 100).length;
    expect(inFirstHalf).toBeGreaterThan(10);
    expect(inFirstHalf).toBeLessThan(30);
    expect(mixedOrder(mix, 42, 0)).toEqual(order);
    expect(mixedOrder(mix, 43, 0)).not.toEqual(order);
  });

  it('make up the steps of a run, also for rows that come in a later epoch', () => {
    const recipe = parseRecipe({
      train_file: ['book.txt', 'chat.jsonl'],
      mix_ratios: { 'book.txt': 1, 'chat.jsonl': 1 },
      training: { per_device_train_batch_size: 8 },
    });
    const sampler = new BatchSampler(
      new Uint32Array(DOCUMENTS).fill(9),
      recipe,
      rowMix(FILES, DOCUMENTS, recipe.mix_ratios),
    );
    expect(sampler.stepsPerEpoch).toBe(15);
    for (const row of [0, 57, 99, 100, 119])
      expect([...sampler.rowsOf(sampler.firstStepOf(row))]).toContain(row);
  });

  it('of rounded shares make a whole epoch', () => {
    const files = { names: ['a', 'b', 'c'], firsts: [0, 3, 5] };
    const mix = rowMix(files, 7, { a: 1, b: 1, c: 1 })!;
    expect(mix.reduce((sum, { drawn }) => sum + drawn, 0)).toBe(7);
    for (const { drawn } of mix) expect([2, 3]).toContain(drawn);
  });

  it('are the files of the run, each once', () => {
    expect(rowMix(FILES, DOCUMENTS, {})).toBe(null);
    expect(mixFault(FILES.names, { 'book.txt': 1 })).toMatch(/no ratio for the training file chat.jsonl/);
    expect(() => rowMix(FILES, DOCUMENTS, { 'book.txt': 1, 'chat.jsonl': 1, 'c.txt': 1 })).toThrow(
      /names c.txt, which is no training file here/,
    );
    expect(mixFault(['a/x.txt', 'b/x.txt'], { 'x.txt': 1 })).toMatch(/of the same name/);
    expect(() => parseRecipe({ method: 'dpo', mix_ratios: { a: 1 } })).toThrow(/of the method sft/);
    expect(() => parseRecipe({ mix_ratios: { a: 0 } })).toThrow(/must be positive/);
  });
});
