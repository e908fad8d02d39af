/** Kept runs as a table, and curves, marks and changed answers as the page shows them. */
import { describe, expect, it } from 'vitest';
import { curve } from '../../src/training/metrics.ts';
import { curvesCsv } from '../../src/page/chart/curvesCsv.ts';
import { valueAt } from '../../src/page/chart/chartTypes.ts';
import { curveNames, filterRuns, sortRuns, tagsOf } from '../../src/page/history/runTable.ts';
import { answerChanges } from '../../src/page/result/answers/answerChanges.ts';
import { epochMarks } from '../../src/page/run/curves/runMarks.ts';
import { svgChart } from '../../src/export/svgChart.ts';
import { parseRecipe } from '../../src/training/recipe.ts';
import type { EvaluationResult, GeneratedAnswer } from '../../src/training/evaluation.ts';
import type { RunSummary } from '../../src/worker/history/historyProtocol.ts';

const run = (id: string, learning_rate: number, end: number | null, more: Partial<RunSummary> = {}) =>
  ({
    id,
    name: id,
    notes: '',
    startedAt: `2026-01-0${id.length}`,
    state: 'finished',
    step: 4,
    totalSteps: 4,
    modelName: 'tiny',
    trainFile: 'train.jsonl',
    startedFrom: null,
    losses: end === null ? {} : { pirate: { start: 5, best: end, end } },
    recipe: parseRecipe({ training: { learning_rate } }),
    ...more,
  }) as RunSummary;
const RUNS = [
  run('a', 1e-3, 2, { tags: ['sea'] }),
  run('bb', 1e-2, null, { notes: 'Too fast' }),
  run('ccc', 1e-4, 1, { state: 'stopped', losses: { training: { start: 1, best: 1, end: 1 } } }),
  run('dddd', 2e-4, 0.5),
];
const ids = (runs: RunSummary[]) => runs.map(({ id }) => id);

describe('table of runs', () => {
  it('is filtered by every word, in names, notes, tags and states', () => {
    expect(ids(filterRuns(RUNS, ' SEA '))).toEqual(['a']);
    expect(ids(filterRuns(RUNS, 'fast too'))).toEqual(['bb']);
    expect(ids(filterRuns(RUNS, 'stopped'))).toEqual(['ccc']);
    expect(ids(filterRuns(RUNS, 'sea fast'))).toEqual([]);
    expect(ids(filterRuns(RUNS, ''))).toEqual(ids(RUNS));
  });

  it('is sorted by numbers as numbers; runs without a value come last either way', () => {
    expect(ids(sortRuns(RUNS, 'learningRate', false, 'pirate'))).toEqual(['ccc', 'dddd', 'a', 'bb']);
    expect(ids(sortRuns(RUNS, 'loss', false, 'pirate'))).toEqual(['dddd', 'a', 'bb', 'ccc']);
    expect(ids(sortRuns(RUNS, 'loss', true, 'pirate'))).toEqual(['a', 'dddd', 'bb', 'ccc']);
    expect(ids(sortRuns(RUNS, 'started', true, 'pirate'))).toEqual(['dddd', 'ccc', 'bb', 'a']);
  });

  it('names validation sets before the training', () => {
    expect(curveNames(RUNS)).toEqual(['pirate', 'training']);
    expect(tagsOf(' a, b ,,a')).toEqual(['a', 'b']);
  });
});

describe('curves', () => {
  it('have a value at each step from their first one on', () => {
    const curve = { steps: [2, 4, 8], values: [1, 2, 3] };
    expect([1, 2, 3, 4, 7, 8, 99].map((step) => valueAt(curve, step))).toEqual([null, 1, 1, 2, 2, 3, 3]);
  });

  it('share the lines of a CSV by their steps', () => {
    expect(
      curvesCsv([
        { name: 'a, b', steps: [1, 3], values: [0.5, 0.25] },
        { name: 'c', steps: [3, 2], values: [7, 8] },
      ]),
    ).toBe('step,"a, b",c\n1,0.5,\n2,,8\n3,0.25,7\n');
  });

  it('leave out of a logarithmic drawing what is not positive, and name values as they are', () => {
    const svg = svgChart([{ name: 'rate', steps: [0, 1, 2], values: [0, 0.01, 1] }], { log: true });
    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(svg).toContain('>0.01</text>');
    expect(svg).toContain('>1</text>');
  });

  it('are marked where epochs begin, not all of many', () => {
    const lines = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ step: i + 1, epoch: (i + 1) / 4, loss: 1 }));
    expect(epochMarks(curve(lines(9), 'epoch')).map(({ step, label }) => [step, label])).toEqual([
      [4, 'epoch 2'],
      [8, 'epoch 3'],
    ]);
    expect(epochMarks(curve(lines(400), 'epoch')).length).toBe(10);
  });
});

describe('changes of answers', () => {
  const answer = (line: number, rougeL: number, exactMatch = false) =>
    ({ line, rougeL, exactMatch, prompt: '', answer: '', reference: '' }) as unknown as GeneratedAnswer;
  const result = (...answers: GeneratedAnswer[]): EvaluationResult => ({ metrics: { loss: 1 }, answers });

  it('are told by ROUGE-L, the reference itself before anything, row by row', () => {
    const before = result(answer(1, 10), answer(2, 50), answer(3, 100), answer(4, 20), answer(5, 1));
    const after = result(answer(4, 20.01), answer(3, 100, true), answer(2, 40), answer(1, 11));
    expect(answerChanges(before, after).map(({ after: { line }, verdict }) => [line, verdict])).toEqual([
      [4, 'same'],
      [3, 'better'],
      [2, 'worse'],
      [1, 'better'],
    ]);
  });
});
