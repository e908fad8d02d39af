import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { watchAnswers } from '../../src/worker/liveness.ts';

const folder = join(import.meta.dirname, '../../src/worker');
const workers = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.worker.ts'),
);

describe('a worker', () => {
  it('is one of these', () => {
    expect(workers.length).toBeGreaterThan(4);
  });

  // A worker that does not is waited for in vain at the end of every run, and its end and errors go
  // unnoticed.
  it.each(workers)('is served so that the page notices its end, its errors and its requests: %s', (name) => {
    expect(readFileSync(join(folder, name), 'utf8')).toMatch(/^serveWorker\(.+\);$/m);
  });
});

describe('a worker that is pinged', () => {
  /** Answers its first so many pings. */
  function pinged(answers: number) {
    let pings = 0;
    const worker = {
      postMessage: (_: unknown, [port]: [MessagePort]) => {
        if (pings++ < answers) port.postMessage(true);
        port.close();
      },
    } as unknown as Worker;
    const onSilence = vi.fn();
    return { onSilence, pings: () => pings, stop: watchAnswers(worker, onSilence, 1) };
  }

  it('is left alone as long as it answers', async () => {
    const { onSilence, pings, stop } = pinged(Infinity);
    await vi.waitFor(() => expect(pings()).toBeGreaterThan(60), { timeout: 20_000 });
    stop();
    expect(onSilence).not.toHaveBeenCalled();
  });

  it('is ended after 24 pings without an answer, once', async () => {
    const { onSilence, pings } = pinged(3);
    await vi.waitFor(() => expect(onSilence).toHaveBeenCalled(), { timeout: 20_000 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(onSilence).toHaveBeenCalledTimes(1);
    // An answer that comes late lets another ping or two be sent.
    expect(pings()).toBeGreaterThanOrEqual(27);
    expect(pings()).toBeLessThan(40);
  });
});
