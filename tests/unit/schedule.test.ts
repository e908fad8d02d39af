import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { scheduleFault, SCHEDULER_TYPES } from '../../src/training/scheduleArguments.ts';
import {
  learningRate,
  totalSteps,
  warmupSteps,
  type Schedule,
  type SchedulerType,
} from '../../src/training/schedule.ts';

const rates = (lr_scheduler_type: SchedulerType, warmup = 2, total = 6) =>
  Array.from({ length: total }, (_, step) =>
    Number(
      learningRate(step, {
        lr_scheduler_type,
        learning_rate: 1,
        warmupSteps: warmup,
        totalSteps: total,
      }).toFixed(6),
    ),
  );

describe('schedule', () => {
  // transformers.get_scheduler(name, AdamW(lr=1), 2, 6), read before each step.
  it.each([
    ['linear', [0, 0.5, 1, 0.75, 0.5, 0.25]],
    ['cosine', [0, 0.5, 1, 0.853553, 0.5, 0.146447]],
    ['constant_with_warmup', [0, 0.5, 1, 1, 1, 1]],
    ['constant', [1, 1, 1, 1, 1, 1]],
  ] as [SchedulerType, number[]][])('%s', (type, expected) => {
    expect(rates(type)).toEqual(expected);
  });

  it('counts steps as transformers does: a smaller last batch of an epoch is a step', () => {
    expect(totalSteps(10, 4, 3, -1)).toBe(9);
    expect(totalSteps(10, 4, 0.5, -1)).toBe(2);
    expect(totalSteps(10, 4, 3, 5)).toBe(5);
    expect(totalSteps(1, 4, 0.1, -1)).toBe(1);
  });

  it('takes warmup_steps before the ratio, and rounds the ratio up', () => {
    expect(warmupSteps(25, { warmup_steps: 0, warmup_ratio: 0.1 })).toBe(3);
    expect(warmupSteps(25, { warmup_steps: 7, warmup_ratio: 0.1 })).toBe(7);
  });

  it('takes a share below 1 as warmup_steps, as transformers 5 does', () => {
    expect(warmupSteps(25, { warmup_steps: 0.3, warmup_ratio: 0.1 })).toBe(8);
  });
});

describe("transformers' schedules (tests/interop/make_schedules.py)", () => {
  const { cases } = JSON.parse(
    readFileSync(new URL('../fixtures/schedules.json', import.meta.url), 'utf8'),
  ) as { cases: (Schedule & { rates: number[] })[] };

  it('are all of them', () => {
    expect(new Set(cases.map((each) => each.lr_scheduler_type))).toEqual(new Set(SCHEDULER_TYPES));
  });

  it.each(cases)('$lr_scheduler_type with $lr_scheduler_kwargs', ({ rates: expected, ...schedule }) => {
    expect(scheduleFault(schedule)).toBeNull();
    expected.forEach((rate, step) =>
      expect(Math.abs(learningRate(step, schedule) - rate), `${step}`).toBeLessThan(
        1e-6 * schedule.learning_rate,
      ),
    );
  });

  it.each([
    ['linear', { num_cycles: 2 }, /num_cycles.+no argument of the schedule linear, which takes none/],
    ['cosine_with_min_lr', {}, /needs either min_lr or min_lr_rate/],
    ['cosine_with_min_lr', { min_lr: 1e-5, min_lr_rate: 0.1 }, /needs either/],
    ['warmup_stable_decay', {}, /needs num_decay_steps/],
    ['warmup_stable_decay', { num_decay_steps: 2, decay_type: 'round' }, /must be one of linear, cosine/],
    ['polynomial', { power: 'two' }, /must be a number/],
    ['polynomial', { lr_end: 1 }, /must be below learning_rate/],
  ] as [SchedulerType, Record<string, number | string>, RegExp][])(
    '%s with %j is refused',
    (type, given, message) => {
      expect(
        scheduleFault({ lr_scheduler_type: type, lr_scheduler_kwargs: given, learning_rate: 1e-3 }),
      ).toMatch(message);
    },
  );
});
