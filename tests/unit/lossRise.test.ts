/** Why a loss rose: sentences that are facts of the record, and none where there are none. */
import { describe, expect, it } from 'vitest';
import { lossRises, type RunFacts } from '../../src/page/explain/lossRise.ts';
import { trendOfCurve } from '../../src/training/forgetting.ts';
import { parseRecipe } from '../../src/training/recipe.ts';

const trend = (values: number[], every = 5) =>
  trendOfCurve('chat', { steps: values.map((_, i) => every * i), values }, null)!;

/** Twenty steps over four epochs, at a rate that is highest at step 2. */
function facts(more: Partial<RunFacts> = {}, loss = (step: number) => 2 - 0.05 * step): RunFacts {
  return {
    trends: [trend([2, 1.5, 1.6, 1.7, 1.9])],
    lines: Array.from({ length: 20 }, (_, i) => ({
      step: i + 1,
      epoch: (i + 1) / 5,
      loss: loss(i + 1),
      learning_rate: i === 1 ? 2e-4 : 1e-4,
      grad_norm: 1,
    })),
    recipe: parseRecipe({}),
    rows: { count: 500, duplicates: 0 },
    ...more,
  };
}

describe('a loss that rose', () => {
  it('is named with its best and its last value, and what the training loss did meanwhile', () => {
    const [rise] = lossRises(facts());
    expect(rise.what).toBe('chat was best at step 5 with 1.500, and 1.900 at step 20.');
    expect(rise.facts).toEqual([
      expect.stringMatching(/training loss went from 1\.550 to 1\.150 \(means of both halves\): it fell/),
      expect.stringMatching(/^Each row had been seen 4 times at the end, and once at the best step/),
    ]);
  });

  it('rose with the training loss where that rose too', () => {
    const { facts: found } = lossRises(facts({}, (step) => 1 + 0.05 * step))[0];
    expect(found[0]).toMatch(/it rose too.*A lower learning_rate is the first thing to try/);
  });

  it('is no rise within the noise, at the last step, or where it fell', () => {
    for (const values of [
      [2, 1.5, 1.51],
      [2, 1.8, 1.5],
    ])
      expect(lossRises(facts({ trends: [trend(values)] }))).toEqual([]);
  });

  it('that was best before the first step was never learned', () => {
    const [rise] = lossRises(facts({ trends: [trend([1, 1.5, 1.6, 1.7, 1.9])] }));
    expect(rise.facts[0]).toMatch(/^It was best before the first step: training never improved chat/);
    expect(rise.facts.join(' ')).toMatch(
      /lies before the learning rate reached its peak of 0\.0002 at step 2/,
    );
  });

  it('goes with a large learning rate, a spike, few rows and repeated ones where the record has them', () => {
    const some = facts();
    const [rise] = lossRises({
      ...some,
      lines: some.lines.map((line) => (line.step === 12 ? { ...line, grad_norm: 9 } : line)),
      recipe: parseRecipe({ training: { learning_rate: 0.01 } }),
      rows: { count: 60, duplicates: 12 },
    });
    expect(rise.facts.slice(2)).toEqual([
      'learning_rate is 0.01, above the 1e-4 to 5e-4 that suit most runs.',
      expect.stringMatching(/norm was 9\.000 at step 12, 9 times its usual size; it is clipped/),
      expect.stringMatching(/only 60 training rows/),
      expect.stringMatching(/^12 of 60 training rows repeat another one/),
    ]);
  });

  it('has no facts where the record shows none: nothing is guessed', () => {
    const [rise] = lossRises(facts({ lines: [], rows: null }));
    expect(rise.facts).toEqual([]);
    expect(lossRises(facts({ rows: { count: 100, duplicates: 5 } }))[0].facts.join()).not.toMatch(
      /rows repeat|only/,
    );
  });
});
