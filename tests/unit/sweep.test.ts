/** A sweep: its runs, and their table with the best marked. */
import { describe, expect, it } from 'vitest';
import { csvOf } from '../../src/data/files/csvText.ts';
import { parseRecipe } from '../../src/training/recipe.ts';
import type { MetricsLine } from '../../src/training/metrics.ts';
import { numericKeys, settingsText, sweepAxis, sweepRuns } from '../../src/training/sweep/sweepAxes.ts';
import { sweepCsv, sweepTable, type SweptRun } from '../../src/training/sweep/sweepTable.ts';

const BASE = parseRecipe({ training: { seed: 7 } });

describe('the runs of a sweep', () => {
  it('are every combination, the last key fastest, and differ in nothing else', () => {
    const axes = ['learning_rate=1e-4, 2e-4', 'lora_r=8,16'].map((text) => sweepAxis(text, BASE));
    expect(axes).toEqual([
      { key: 'training.learning_rate', values: [1e-4, 2e-4] },
      { key: 'lora.r', values: [8, 16] },
    ]);
    const runs = sweepRuns(BASE, axes);
    expect(runs.map(({ recipe }) => [recipe.training.learning_rate, recipe.lora.r])).toEqual([
      [1e-4, 8],
      [1e-4, 16],
      [2e-4, 8],
      [2e-4, 16],
    ]);
    for (const { recipe } of runs) {
      const equal = {
        ...recipe,
        training: { ...recipe.training, learning_rate: BASE.training.learning_rate },
        lora: { ...recipe.lora, r: BASE.lora.r },
      };
      expect(equal).toEqual(BASE);
    }
    expect(settingsText(runs[3].settings)).toBe('learning_rate 0.0002, r 16');
    // The recipe at hand stays as it is.
    expect(BASE.training.learning_rate).toBe(2e-4);
  });

  it('take a key by its whole name, without its group, and one that is empty', () => {
    expect(sweepAxis('max_length=64 128', BASE)).toEqual({ key: 'max_length', values: [64, 128] });
    expect(sweepAxis('training.seed=1;2', BASE).key).toBe('training.seed');
    expect(sweepAxis('neftune_noise_alpha=5', BASE).key).toBe('training.neftune_noise_alpha');
    const keys = numericKeys(BASE);
    expect(keys.slice(0, 2)).toEqual(['training.learning_rate', 'lora.r']);
    expect(new Set(keys).size).toBe(keys.length);
    for (const key of ['system_prompt', 'evaluation.metric_for_best_model', 'lora.use_dora', 'method'])
      expect(keys).not.toContain(key);
  });

  it.each([
    ['learning_rate', /"learning_rate" is no sweep/],
    ['learning_rat=1', /"learning_rat" is no key of a recipe that holds a number/],
    ['method=1', /"method" is no key/],
    ['top_p=0.5', /key of two groups: write training\.top_p or evaluation\.top_p/],
    ['r=8,x', /"x" in the values of lora\.r is no number/],
    ['r=', /lora\.r has no values/],
    ['r=8,8.0', /lora\.r has 8 twice/],
  ])('refuse %s', (text, message) => {
    expect(() => sweepAxis(text, BASE)).toThrow(message);
  });

  it('refuse a value that the recipe refuses, a key twice, and too many', () => {
    const runsOf = (...axes: string[]) =>
      sweepRuns(
        BASE,
        axes.map((text) => sweepAxis(text, BASE)),
      );
    expect(() => runsOf('r=8,-1')).toThrow(/"lora\.r" is -1/);
    expect(() => runsOf('r=8', 'lora.r=16')).toThrow(/lora\.r is swept twice/);
    expect(() => runsOf('r=1,2,3,4,5,6,7,8', 'seed=1,2,3,4,5,6,7,8,9')).toThrow(/72 runs.*at most 64/);
    expect(runsOf('r=1,2,3,4,5,6,7,8', 'seed=1,2,3,4,5,6,7,8').length).toBe(64);
  });
});

function lines(training: number[], sets: Record<string, number[]> = {}): MetricsLine[] {
  return [
    ...training.map((loss, i) => ({ step: i + 1, epoch: 0, loss })),
    ...Object.entries(sets).flatMap(([name, values]) =>
      values.map((value, i) => ({ step: 2 * i, epoch: 0, [`eval_${name}_loss`]: value })),
    ),
  ];
}

function run(r: number, more: Partial<SweptRun>): SweptRun {
  return {
    name: `r ${r}`,
    settings: { 'lora.r': r, max_length: 64 },
    state: 'done',
    reason: 'finished',
    message: null,
    runId: `run ${r}`,
    steps: 4,
    seconds: 2.5,
    lines: [],
    ...more,
  };
}

const NO_METRIC = { metric_for_best_model: null, greater_is_better: null };

describe('the table of a sweep', () => {
  it('marks the lowest mean loss at the end, not the best on the way', () => {
    const table = sweepTable(
      [
        run(4, { lines: lines([3, 2], { a: [3, 1, 2], b: [3, 2, 2] }) }),
        run(8, { lines: lines([3, 1], { a: [3, 2, 1.5], b: [3, 2, 2.4] }) }),
      ],
      NO_METRIC,
    );
    expect(table).toMatchObject({ keys: ['lora.r'], sets: ['a', 'b'], metric: null, best: 1 });
    expect(table.basis).toBe('the lowest mean loss of a, b at the end');
    expect(table.rows[0].losses.a).toMatchObject({ start: 3, best: 1, bestStep: 2, last: 2 });
    expect(table.rows[0].losses.training).toMatchObject({ start: 3, last: 2 });
  });

  it("marks by the recipe's metric where it has one, in its own direction", () => {
    const metric = 'eval_a_token_accuracy';
    const scored = (r: number, values: number[]) =>
      run(r, {
        lines: values.map((value, i) => ({ step: 2 * i, epoch: 0, eval_a_loss: 1, [metric]: value })),
      });
    const runs = [scored(4, [0.2, 0.7, 0.1]), scored(8, [0.2, 0.5, 0.6])];
    const table = sweepTable(runs, { ...NO_METRIC, metric_for_best_model: metric });
    expect([table.best, table.rows[0].metric]).toEqual([0, { value: 0.7, step: 2 }]);
    const reversed = { metric_for_best_model: metric, greater_is_better: false };
    expect(sweepTable(runs, reversed).best).toBe(0);
    expect(sweepTable(runs, reversed).rows[0].metric).toEqual({ value: 0.1, step: 4 });
  });

  it('never marks a run that failed, was stopped, diverged or still goes', () => {
    const good = lines([1], { a: [1, 0.1] });
    const runs = [
      run(1, { lines: good, state: 'failed', reason: null, message: 'out of "memory", so' }),
      run(2, { lines: good, reason: 'stopped' }),
      run(4, { lines: good, reason: 'diverged' }),
      run(8, { lines: good, state: 'running', reason: null }),
      run(16, { lines: lines([1], { a: [1, 0.9] }) }),
      run(32, { state: 'waiting', reason: null, seconds: null, runId: null, steps: 0 }),
    ];
    const table = sweepTable(runs, NO_METRIC);
    expect(table.best).toBe(4);
    expect(sweepTable(runs.slice(0, 4), NO_METRIC).best).toBeNull();
    const rows = sweepCsv(table).trimEnd().split('\n');
    expect(rows[0]).toBe(
      'run,lora.r,state,loss_start,loss_best,loss_best_step,loss_end,eval_a_loss_start,eval_a_loss_best,eval_a_loss_best_step,eval_a_loss_end,steps,seconds,is_best,run_id,message',
    );
    expect(rows[1]).toBe('r 1,1,failed,1,1,1,1,1,0.1,2,0.1,4,2.5,no,run 1,"out of ""memory"", so"');
    expect(rows[5]).toBe('r 16,16,finished,1,1,1,1,1,0.9,2,0.9,4,2.5,yes,run 16,');
    expect(rows[6]).toBe('r 32,32,waiting,,,,,,,,,0,,no,,');
  });

  it('without a validation file goes by the training loss at the end', () => {
    const table = sweepTable([run(4, { lines: lines([3, 1]) }), run(8, { lines: lines([3, 2]) })], NO_METRIC);
    expect(table.best).toBe(0);
    expect(table.basis).toMatch(/training loss at the end, as there is no validation file/);
  });
});

describe('CSV', () => {
  it('quotes what would break a cell', () => {
    expect(csvOf([['a', 'b,c', 'd"e', 'f\ng', null, 0]])).toBe('a,"b,c","d""e","f\ng",,0\n');
  });
});
