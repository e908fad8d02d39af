/** Lines of metrics.jsonl as columns: the same lines, the same curves, and no growth with every step. */
import { describe, expect, it } from 'vitest';
import { curve, metricsToJsonl, type MetricsLine } from '../../src/training/metrics.ts';
import { linesOf, MetricsLog } from '../../src/training/kept/metricsLog.ts';

/** Steps with evaluations between them, of files that come and go. */
function manyLines(steps: number): MetricsLine[] {
  const lines: MetricsLine[] = [{ step: 0, epoch: 0, eval_a_loss: 3 }];
  for (let step = 1; step <= steps; step++) {
    lines.push({ step, epoch: step / 7, loss: 1 / step, grad_norm: -0, tokens_per_second: 1e300 / step });
    if (step % 5 === 0)
      lines.push({ step, epoch: step / 7, eval_a_loss: Math.sin(step), eval_a_perplexity: Infinity });
    if (step % 10 === 0) lines.push({ step, epoch: NaN, eval_a_loss: 2, eval_b_loss: step });
  }
  return lines;
}

describe('a log of metrics', () => {
  it('gives back every line with its keys in their order, also from a checkpoint', () => {
    const lines = manyLines(300);
    const log = MetricsLog.of(lines, { steps: 20, evaluations: 5 });
    expect(log.lines()).toEqual(lines);
    expect(metricsToJsonl(log.lines())).toBe(metricsToJsonl(lines));
    expect([log.length, log.last()]).toEqual([lines.length, lines.at(-1)]);
    const stored = structuredClone(log.stored());
    expect(linesOf(stored)).toEqual(lines);
    const resumed = MetricsLog.of(stored, { steps: 20, evaluations: 5 });
    for (const line of manyLines(3)) resumed.push(line);
    expect(resumed.lines()).toEqual([...lines, ...manyLines(3)]);
    expect(linesOf(stored)).toEqual(lines);
    // As earlier versions stored them.
    expect(linesOf(lines)).toEqual(lines);
  });

  it('has the curves of the lines, also where lines of several forms have a key', () => {
    const lines = manyLines(60);
    const log = MetricsLog.of(lines);
    for (const key of ['loss', 'eval_a_loss', 'eval_b_loss', 'eval_a_perplexity', 'epoch', 'none']) {
      const { steps, values } = curve(lines, key);
      const logged = log.curve(key);
      expect([[...logged.steps], [...logged.values]]).toEqual([steps, values]);
    }
    expect(log.curve('loss').steps).toBe(log.curve('grad_norm').steps);
  });

  it('leaves curves that were handed out as they are', () => {
    const log = MetricsLog.of(manyLines(64));
    const before = log.curve('loss');
    const copy = [...before.values];
    for (let step = 65; step < 500; step++)
      log.push({ step, epoch: 0, loss: 7, grad_norm: 0, tokens_per_second: 1 });
    expect([...before.values]).toEqual(copy);
  });

  it('takes the same room for the first planned step as for the last', () => {
    const log = new MetricsLog({ steps: 5000, evaluations: 501 });
    const bytes = () =>
      log
        .stored()
        .tables.map(({ places, columns }) => places.byteLength + columns.length * columns[0].byteLength);
    log.push({ step: 0, epoch: 0, eval_a_loss: 2 });
    log.push({ step: 1, epoch: 0, loss: 1 });
    const [evaluations, steps] = bytes();
    for (let step = 2; step <= 5000; step++) {
      log.push({ step, epoch: 0, loss: 1 });
      if (step % 10 === 0) log.push({ step, epoch: 0, eval_a_loss: 2 });
    }
    expect(bytes()).toEqual([evaluations, steps]);
    log.push({ step: 5001, epoch: 0, loss: 1 });
    expect(bytes()).toEqual([evaluations, 2 * steps]);
  });

  it('has no line at first, and leaves out keys without a value', () => {
    const log = new MetricsLog();
    expect([log.lines(), log.last(), log.length]).toEqual([[], undefined, 0]);
    log.push({ step: 1, epoch: 0, loss: undefined as unknown as number });
    expect(log.lines()).toStrictEqual([{ step: 1, epoch: 0 }]);
  });
});
