/** Long runs keep the answers of some evaluations, not of all. */
import 'fake-indexeddb/auto';
import { describe, expect, it } from 'vitest';
import { newRun } from '../../src/storage/database.ts';
import { openDatabase } from '../../src/storage/openDatabase.ts';
import { putRun } from '../../src/storage/runs.ts';
import { listEvaluations } from '../../src/storage/evaluations.ts';
import { MOST_KEPT_EVALUATIONS, superfluousStep } from '../../src/training/kept/keptEvaluations.ts';
import { RunView } from '../../src/page/run/RunView.svelte.ts';
import { RunStore } from '../../src/worker/trainer/runStore.ts';

const answer = {
  line: 1,
  prompt: 'p',
  reference: 'r',
  answer: 'a',
  stopped: true,
  tokens: 1,
  exactMatch: false,
  rougeL: 0,
};
const resultOf = (loss: number) => ({ metrics: { loss, perplexity: 1 }, answers: [answer] });

describe('evaluations that are kept', () => {
  it('drop the one whose neighbours are closest, never the first, the last or the best', () => {
    const at = (steps: number[], best = steps[0]) =>
      steps.map((step) => ({ step, loss: step === best ? 0 : 1 }));
    expect(superfluousStep(at([0, 1, 2]), 3)).toBeNull();
    expect(superfluousStep(at([0, 8, 10, 20]), 3)).toBe(8);
    expect(superfluousStep(at([0, 8, 10, 20], 8), 3)).toBe(10);
    expect(superfluousStep(at([0, 1, 9, 20], 1), 3)).toBe(9);
  });

  it('of 200 evaluations stay 32 in the database and on the page, spread over the run', async () => {
    const database = await openDatabase('kept evaluations');
    await putRun(database, newRun('r'));
    const store = new RunStore(database, 'r');
    const view = new RunView(['a', 'b'], { steps: 200, evaluations: 200 }, null);
    for (let step = 0; step <= 200; step++)
      for (const name of ['a', 'b']) {
        // The lowest loss of a is at step 66.
        const event = { type: 'evaluated' as const, name, step, result: resultOf(Math.abs(step - 66) + 1) };
        store.take(event);
        view.take(event);
      }
    await expect.poll(async () => (await listEvaluations(database, 'r')).length).toBe(2 * 32);
    const steps = (await listEvaluations(database, 'r'))
      .filter(({ name }) => name === 'a')
      .map(({ step }) => step);
    expect(steps.length).toBe(MOST_KEPT_EVALUATIONS);
    expect(steps).toEqual(expect.arrayContaining([0, 66, 200]));
    const gaps = steps.slice(1).map((step, i) => step - steps[i]);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(16);
    expect(view.answered.filter(({ name }) => name === 'a').map(({ step }) => step)).toEqual(steps);
    // Every figure stays.
    expect(view.evaluationLines.length).toBe(2 * 201);
  });
});
