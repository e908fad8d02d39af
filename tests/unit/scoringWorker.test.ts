/** A call that cannot be interrupted is ended with its worker, and the next call gets another. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ScoringFunction } from '../../src/training/recipe/scoringRecipe.ts';
import { ScoringWorker } from '../../src/worker/scoring/scoringWorker.ts';
import { stubWorkers, type FakeWorkers } from '../helpers/fakeWorkers.ts';

const made: ScoringFunction = { name: 'mine', type: 'code', code: '() => 1', on_error: 'stop' };
const answer = { answer: 'a', reference: null, row: {}, tokens: 1 };
let workers: FakeWorkers;

/** @param scoreOf how the nth worker answers */
function setUp(scoreOf: (nth: number) => () => Promise<unknown>): ScoringWorker {
  workers = stubWorkers((_name, nth) => ({ load: async () => undefined, score: scoreOf(nth) }));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  return new ScoringWorker([made]);
}

/** Lets ports deliver what was posted. */
const delivered = async () => {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
};

afterEach(() => {
  vi.useRealTimers();
  workers.close();
});

describe('the worker that scores answers', () => {
  it('is ended 3 s after a call that does not come back, and not before', async () => {
    const scorer = setUp((nth) => async () => (nth === 0 ? new Promise(() => undefined) : { value: 7 }));
    const scored = scorer.score(made, answer).catch((error: unknown) => error);
    await delivered();
    await vi.advanceTimersByTimeAsync(2999);
    expect(workers.all.map(({ terminated }) => terminated)).toEqual([false]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await scored).toMatchObject({ message: 'did not end within 1 s: look for an endless loop' });
    expect(workers.all.map(({ terminated }) => terminated)).toEqual([true]);
    expect(await scorer.score(made, answer)).toBe(7);
    expect(workers.all.map(({ terminated }) => terminated)).toEqual([true, false]);
  });

  it('that crashed is named with its reason, and started again', async () => {
    const scorer = setUp((nth) => async () => (nth === 0 ? new Promise(() => undefined) : { value: 3 }));
    const scored = scorer.score(made, answer).catch((error: unknown) => error);
    await delivered();
    workers.all[0].die('out of memory');
    expect(await scored).toMatchObject({ message: 'ended its worker: out of memory' });
    expect(await scorer.score(made, answer)).toBe(3);
    expect(workers.all.length).toBe(2);
  });

  it('stays for the next call where a function failed by itself', async () => {
    const scorer = setUp(() => async () => ({ fault: 'threw Error: no' }));
    await expect(scorer.score(made, answer)).rejects.toThrow('threw Error: no');
    await expect(scorer.score(made, answer)).rejects.toThrow('threw Error: no');
    expect(workers.all.map(({ terminated }) => terminated)).toEqual([false]);
  });
});
