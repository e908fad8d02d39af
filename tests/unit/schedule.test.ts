import { describe, expect, it } from 'vitest';
import { learningRate, totalSteps, warmupSteps, type SchedulerType } from '../../src/training/schedule.ts';

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
});
