/** The course of a validation file: best step, and the alarm when it is unlearnt. */
import { describe, expect, it } from 'vitest';
import { lossTrend, forgettingText } from '../../src/training/forgetting.ts';

const lines = (values: number[]) =>
  values.map((value, i) => ({ step: 10 * i, epoch: i, eval_chat_loss: value, loss: 1 }));

describe('forgetting', () => {
  it('names the first step above the threshold, and where the file was best', () => {
    const trend = lossTrend(lines([2, 1.9, 2.05, 2.2, 2.6]), 'chat', 0.1)!;
    expect(trend).toEqual({
      name: 'chat',
      start: 2,
      best: 1.9,
      bestStep: 10,
      last: 2.6,
      lastStep: 40,
      alarm: { step: 30, loss: 2.2 },
      forgets: true,
    });
    expect(forgettingText(trend)).toMatch(
      /^At step 30 the loss of chat was 2\.200, above its start of 2\.000 \(22 % more perplexity\).*Best was step 10\. Lower learning_rate/,
    );
  });

  it('says when it has recovered, and stays silent below the threshold or without one', () => {
    const back = lossTrend(lines([2, 2.5, 1.8]), 'chat', 0.1)!;
    expect(back.forgets).toBe(false);
    expect(forgettingText(back)).toMatch(/At step 20 it is back at 1\.800/);
    expect(lossTrend(lines([2, 2.1]), 'chat', 0.1)!.alarm).toBeNull();
    expect(forgettingText(lossTrend(lines([2, 9]), 'chat', null)!)).toBeNull();
    expect(lossTrend(lines([1]), 'other', 0.1)).toBeNull();
  });
});
