/** Answers of the GPU that Firefox would give late. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { promptly } from '../../src/gpu/promptly.ts';
import { later } from '../helpers/fakeWorkers.ts';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:159.0) Gecko/20100101 Firefox/159.0';
const CHROME =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';

/** A device that gives its answer at the n-th submission. */
function deviceThatAnswersAt(submissions: number, settle: () => void) {
  const submit = vi.fn(() => {
    if (submit.mock.calls.length === submissions) settle();
  });
  return { device: { queue: { submit } } as unknown as GPUDevice, submit };
}

afterEach(() => vi.unstubAllGlobals());

describe('an answer of the GPU', () => {
  it('is asked for by empty submissions in Firefox, until it is there', async () => {
    vi.stubGlobal('navigator', { userAgent: FIREFOX });
    const { promise, resolve } = later<string>();
    const { device, submit } = deviceThatAnswersAt(40, () => resolve('mapped'));
    expect(await promptly(device, promise)).toBe('mapped');
    expect(submit).toHaveBeenCalledWith([]);
    const asked = submit.mock.calls.length;
    expect(asked).toBeGreaterThanOrEqual(40);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(submit.mock.calls.length).toBe(asked);
  });

  it('fails there as it fails elsewhere', async () => {
    vi.stubGlobal('navigator', { userAgent: FIREFOX });
    const { promise, reject } = later<string>();
    const { device } = deviceThatAnswersAt(3, () => reject(new Error('the device was lost')));
    await expect(promptly(device, promise)).rejects.toThrow('the device was lost');
  });

  it('is only waited for in other browsers', async () => {
    vi.stubGlobal('navigator', { userAgent: CHROME });
    const { device, submit } = deviceThatAnswersAt(1, () => undefined);
    const answer = Promise.resolve('mapped');
    expect(promptly(device, answer)).toBe(answer);
    expect(submit).not.toHaveBeenCalled();
  });

  it('is waited for in no other way anywhere', () => {
    const folder = join(import.meta.dirname, '../../src');
    const waits = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.endsWith('promptly.ts'))
      .flatMap((path) =>
        readFileSync(join(folder, path), 'utf8')
          .split('\n')
          .filter((line) => /\.(mapAsync|onSubmittedWorkDone)\(/.test(line)),
      );
    expect(waits.length).toBeGreaterThan(10);
    for (const wait of waits) expect(wait).toContain('promptly(');
  });
});
