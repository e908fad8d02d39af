/** What a memory verdict rests on, and that remedies are planned, not guessed. */
import { describe, expect, it } from 'vitest';
import { planRemedies, remediesFor, verdictOf } from '../../src/page/gpu/memoryVerdict.ts';
import { parseRecipe } from '../../src/training/recipe.ts';
import type { RunPlan } from '../../src/worker/trainer/trainerProtocol.ts';

const GIB = 2 ** 30;

describe('verdict', () => {
  it.each([
    [6 * GIB, 8, null, 'fits', /75 % of the 8 GiB that you named/],
    [7 * GIB, 8, null, 'tight', /88 %/],
    [8 * GIB, 8, null, 'no', /100 %/],
    [6 * GIB, 8, 4, 'no', /granted 4 GiB and no more when it was asked for 6 GiB/],
    [6 * GIB, null, 6, 'fits', /granted 6 GiB.*lend slower system memory/],
    [6 * GIB, null, null, 'unknown', /Browsers do not say/],
    [GIB / 2, null, null, 'fits', /Nearly every GPU/],
  ] as const)(
    'of %d bytes with %d GiB named and %d granted is %s',
    (needed, known, granted, verdict, reason) => {
      const made = verdictOf(needed, {
        known: known && known * GIB,
        probe: granted && { asked: 6 * GIB, granted: granted * GIB },
      });
      expect(made.verdict).toBe(verdict);
      expect(made.reason).toMatch(reason);
    },
  );
});

describe('remedies', () => {
  const recipe = parseRecipe({
    max_length: 2048,
    lora: { r: 16 },
    training: {
      gradient_checkpointing: true,
      activation_dtype: 'auto',
      head_dtype: 'auto',
      per_device_train_batch_size: 4,
      gradient_accumulation_steps: 2,
    },
  });
  const lengths = [100, 300, 700, 1500];

  it('keep the rows of a step, and say how many rows are cut', () => {
    const remedies = remediesFor(recipe, lengths, 1500, true);
    expect(remedies.map(({ label, cost }) => `${label}: ${cost}`)).toEqual([
      'per_device_train_batch_size 1, gradient_accumulation_steps 8: the same steps in smaller pieces, slower',
      'max_length 1024: cuts 1 of 4 rows',
      'max_length 512: cuts 2 of 4 rows',
      'max_length 256: cuts 3 of 4 rows',
      'max_length 128: cuts 3 of 4 rows',
      'max_length 64: cuts 4 of 4 rows',
      'r 8, lora_alpha 16: a smaller adapter',
      'head_dtype q8_0: logits rounded by an output head of 8 bits',
    ]);
    for (const { change } of remedies) {
      const changed = structuredClone(recipe);
      change(changed);
      expect(parseRecipe(changed)).toEqual(changed);
    }
  });

  it('are those whose plan is smaller; of the lengths the longest that fit', async () => {
    const asked: string[] = [];
    const planned = await planRemedies(
      remediesFor(recipe, lengths, 1500, false),
      10 * GIB,
      { known: 8 * GIB, probe: null },
      async ({ label, change }) => {
        asked.push(label);
        const changed = structuredClone(recipe);
        change(changed);
        // Memory goes with max_length; nothing else helps.
        return {
          memory: { total: changed.max_length === 2048 ? 10 * GIB : (changed.max_length / 1024) * 9 * GIB },
        } as RunPlan;
      },
    );
    expect(planned.map(({ label, verdict, total }) => [label, verdict, total / GIB])).toEqual([
      ['max_length 512', 'fits', 4.5],
      ['max_length 256', 'fits', 2.25],
    ]);
    expect(asked).not.toContain('max_length 128');
  });
});
