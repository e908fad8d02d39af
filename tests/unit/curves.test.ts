/** Curves as the page shows and exports them, and answers beside their references. */
import { describe, expect, it } from 'vitest';
import { MetricsLog } from '../../src/training/kept/metricsLog.ts';
import { metricsCsv } from '../../src/page/run/metricsCsv.ts';
import { metricsOf } from '../../src/page/run/metricNames.ts';
import { Smoothing } from '../../src/page/run/smoothing.ts';
import { wordDiff } from '../../src/page/result/answers/wordDiff.ts';

describe('curves', () => {
  it('smooth without a bias towards zero at the start', () => {
    const smoothed = (values: number[]) => [...new Smoothing().of(values)];
    expect(smoothed([4, 4, 4])).toEqual([4, 4, 4].map((value) => expect.closeTo(value, 12) as number));
    // 0.1·2 + 0.9·0.1·1 over 1 - 0.81
    expect(smoothed([1, 2])[1]).toBeCloseTo((0.1 * 2 + 0.9 * 0.1 * 1) / 0.19, 12);
  });

  it('smooth as they grow to what they are when smoothed at once, also with another weight or restored', () => {
    const log = new MetricsLog({ steps: 10, evaluations: 0 });
    const smoothing = new Smoothing();
    const pushed: number[] = [];
    const check = (of: MetricsLog, values: number[], weight: number) => {
      const found = smoothing.of(of.curve('loss').values, weight);
      expect([...found]).toEqual([...new Smoothing().of(values, weight)]);
      return found;
    };
    for (let step = 1; step <= 1500; step++) {
      pushed.push(Math.sin(step));
      log.push({ step, epoch: 0, loss: pushed.at(-1)! });
      if (step % 50 === 1) check(log, pushed, step % 500 === 1 ? 0.5 : 0.9);
    }
    const before = check(log, pushed, 0.9);
    const copy = [...before];
    const other = [3, 2, 1];
    const restored = MetricsLog.of(other.map((loss, i) => ({ step: i + 1, epoch: 0, loss })));
    check(restored, other, 0.9);
    expect([...before]).toEqual(copy);
  });

  it('are exported with a step a line, evaluations beside the training', () => {
    const csv = metricsCsv([
      { step: 1, epoch: 0.5, loss: 2 },
      { step: 2, epoch: 1, loss: 1.5 },
      { step: 0, epoch: NaN, eval_math_loss: 3 },
      { step: 2, epoch: NaN, eval_math_loss: 2.5, 'eval_a,b_loss': 1 },
    ]);
    expect(csv).toBe('step,epoch,loss,eval_math_loss,"eval_a,b_loss"\n0,,,3,\n1,0.5,2,,\n2,1,1.5,2.5,1\n');
  });

  it('know their metrics, also of files whose names look like one', () => {
    expect(
      metricsOf([
        { step: 0, epoch: 0, eval_loss_test_token_accuracy: 1, eval_loss_test_loss: 1, eval_x_rougeL: 1 },
      ]),
    ).toEqual(['loss', 'token_accuracy', 'rougeL']);
  });
});

describe('answers', () => {
  it('show words that only one side has', () => {
    const parts = wordDiff('The cat sat down.', 'The dog sat.');
    expect(
      parts
        .filter(({ kind }) => kind !== 'added')
        .map(({ text }) => text)
        .join(''),
    ).toBe('The cat sat down.');
    expect(
      parts
        .filter(({ kind }) => kind !== 'missing')
        .map(({ text }) => text)
        .join(''),
    ).toBe('The dog sat.');
    expect(parts).toContainEqual({ text: 'dog', kind: 'added' });
    expect(wordDiff('same', 'same')).toEqual([{ text: 'same', kind: 'same' }]);
    expect(wordDiff('', 'new')).toEqual([{ text: 'new', kind: 'added' }]);
  });
});
