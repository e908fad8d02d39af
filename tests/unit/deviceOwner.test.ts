/** A GPU that is lost, and what takes its place. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DeviceOwner } from '../../src/engine/deviceOwner.ts';
import type { GpuContext } from '../../src/gpu/gpuContext.ts';

type Target = 'gpu' | 'cpu';
const context = (target: Target) =>
  ({ lost: null, settings: { target } }) as unknown as GpuContext & { lost: unknown };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function lose(answers: (Target | null)[], first: Target = 'gpu') {
  const waits: number[] = [];
  const before = context(first);
  const open = vi.fn(async () => {
    const answer = answers.shift();
    return answer ? context(answer) : null;
  });
  open.mockImplementationOnce(async () => before);
  const owner = new DeviceOwner(open);
  owner.onWait = (seconds) => waits.push(seconds);
  expect(await owner.get()).toBe(before);
  before.lost = 'gone';
  const got = owner.get();
  got.catch(() => undefined);
  await vi.runAllTimersAsync();
  return { owner, waits, got };
}

describe('a lost GPU', () => {
  it('is waited for over two minutes, with growing pauses', async () => {
    const { waits, got } = await lose([null, null, null, null, null, 'gpu']);
    expect((await got)!.settings.target).toBe('gpu');
    expect(waits).toEqual([1, 4, 15, 30, 60]);
  });

  it('is not replaced by the CPU or by nothing, now or at the next question', async () => {
    const { owner, got } = await lose(['cpu', 'cpu', null, null, 'cpu', 'cpu', null]);
    await expect(got).rejects.toThrow(/GPU was lost and did not come back within three minutes/);
    const again = owner.get();
    again.catch(() => undefined);
    await vi.runAllTimersAsync();
    await expect(again).rejects.toThrow(/did not come back/);
  });

  it('on the CPU from the start comes back on the CPU', async () => {
    const { got } = await lose(['cpu'], 'cpu');
    expect((await got)!.settings.target).toBe('cpu');
  });
});
