/** Rows to look at before training, and by their loss after an evaluation. */
import { describe, expect, it } from 'vitest';
import { buildDataset } from '../../src/data/documents.ts';
import { languageOf } from '../../src/data/rows/language.ts';
import { parseRows } from '../../src/data/rows/parseRows.ts';
import { saysNothing } from '../../src/data/rows/rowFindings.ts';
import { rowKey } from '../../src/data/rows/rowStatistics.ts';
import { ChatTokenizer } from '../../src/data/tokenizer/chatTokenizer.ts';
import type { MicroBatch } from '../../src/data/types.ts';
import { rowsByLoss, sampledRows } from '../../src/worker/dataset/rowsByLoss.ts';
import { documentLosses } from '../../src/worker/trainer/documentLosses.ts';
import { TINY_TOKENIZER, TINY_TOKENIZER_CONFIG } from '../helpers/tinyModel.ts';

const tokenizer = new ChatTokenizer({
  'tokenizer.json': TINY_TOKENIZER,
  'tokenizer_config.json': TINY_TOKENIZER_CONFIG,
});
const SETTINGS = { systemPrompt: null, maxLength: 60, dateString: '' };
const english = (i: number) => `The answer to this is number ${i}.`;
const build = async (answers: string[]) => {
  const text = answers.map((response, i) => JSON.stringify({ query: `q${i}`, response })).join('\n');
  const parsed = await parseRows(new Blob([text]), 't.jsonl');
  return { parsed, dataset: await buildDataset('t.jsonl', parsed, tokenizer, SETTINGS) };
};

describe('findings', () => {
  it('are the longest rows, those that are cut, empty ones and those in another language', async () => {
    const answers = Array.from({ length: 30 }, (_, i) => english(i));
    answers[3] = 'x'.repeat(100);
    answers[7] = '<p>&nbsp;</p>';
    answers[9] = 'Das ist die Antwort und sie ist nicht das, was mit';
    const { parsed, dataset } = await build(answers);
    const { longest, cut, empty, foreign } = dataset.findings;
    expect(longest.length).toBe(10);
    expect(longest[0]).toMatchObject({ line: 4, what: '106 tokens', key: rowKey(parsed.rows[3]) });
    expect(cut).toMatchObject([{ line: 4, what: '46 of 106 tokens are cut off' }]);
    expect(empty).toMatchObject({ count: 1, rows: [{ line: 8, text: '<p>&nbsp;</p>' }] });
    expect(foreign).toMatchObject({ count: 1, usual: 'English', rows: [{ line: 10, what: 'German' }] });
  });

  it.each([
    ['n/a', true],
    ['\u200b ...', true],
    ['<br/>', true],
    ['4', false],
    ['👍', false],
    ['None of them.', false],
    ['x < 3', false],
  ])('%j says nothing: %s', (answer, nothing) => {
    expect(saysNothing(answer)).toBe(nothing);
  });

  it.each([
    ['The cat is on the mat and it is not mine.', 'English'],
    ['Le chat est dans la maison avec les enfants et une balle.', 'French'],
    ['El perro y los gatos son para las casas del señor, como una familia.', 'Spanish'],
    ['これは日本語の文章です。', 'Japanese'],
    ['这是一个中文句子。', 'Chinese'],
    ['Это предложение.', 'Cyrillic script'],
    ['42', null],
  ])('%s is %s', (text, language) => {
    expect(languageOf(text)).toBe(language);
  });

  it('rank rows by the loss of an evaluation', async () => {
    const { parsed, dataset } = await build([english(0), english(1), english(2), english(3)]);
    const ranked = rowsByLoss([0, 1, 2, 3], Float32Array.of(1, 3, NaN, 2), dataset, tokenizer, 2);
    expect(ranked.highest.map(({ line, what }) => [line, what])).toEqual([
      [2, 'loss 3.000'],
      [4, 'loss 2.000'],
    ]);
    expect(ranked.lowest.map(({ line }) => line)).toEqual([1, 4]);
    expect(ranked.highest[0]).toMatchObject({ key: rowKey(parsed.rows[1]), text: english(1) });
    expect([ranked.ranked, ranked.of]).toEqual([3, 4]);
  });

  it('sample a large file evenly, and never a rejected answer', async () => {
    const { dataset } = await build(Array.from({ length: 10 }, (_, i) => english(i)));
    expect([...sampledRows(dataset, 4)]).toEqual([1, 3, 6, 8]);
    expect([...sampledRows({ ...dataset, pairStarts: [0, 4] }, 8)]).toEqual([0, 2, 3, 4, 6, 7, 8, 9]);
  });

  it('score each document by itself, whatever it is packed with; one that is too long is not scored', async () => {
    const { dataset } = await build([english(0), 'x'.repeat(40), 'y', english(1)]);
    const { documents } = dataset;
    const { lengths } = documents;
    // A loss that only the token and its predecessor decide: what a document lies beside must not matter.
    const lossAt = (id: number, next: number) => id / 100 + next / 7;
    const engine = {
      tokensPerMicroBatch: Math.max(lengths[0], lengths[3]) + lengths[2],
      score: async ({ inputIds, targets }: MicroBatch) => ({
        loss: Float32Array.from(targets, (target, t) => (target < 0 ? 0 : lossAt(inputIds[t], target))),
      }),
    };
    expect(lengths[1]).toBeGreaterThan(engine.tokensPerMicroBatch);
    const done: number[] = [];
    const losses = await documentLosses(documents, tokenizer.padTokenId, engine, {
      onProgress: (batch) => done.push(batch),
      stopped: () => false,
    });
    const wanted = [...documents].map(({ inputIds, labels }) => {
      const own = [...labels].flatMap((label, t) =>
        t > 0 && label >= 0 ? [lossAt(inputIds[t - 1], label)] : [],
      );
      return own.reduce((a, b) => a + b) / own.length;
    });
    expect(losses[1]).toBeNaN();
    for (const row of [0, 2, 3]) expect(losses[row]).toBeCloseTo(wanted[row], 5);
    expect(done).toEqual([0, 1]);
    const none = await documentLosses(documents, tokenizer.padTokenId, engine, {
      onProgress: () => undefined,
      stopped: () => true,
    });
    expect([...none].every(Number.isNaN)).toBe(true);
  });
});
