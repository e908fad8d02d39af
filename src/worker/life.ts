/**
 * Tells the page that a worker is gone. A browser says nothing when a worker is ended or runs out of memory, but it frees what the worker held: each
 * holds a lock of its own as long as it lives (Web Locks), and the page waits for that lock.
 */

const KEY = 'finetabLifeLock';

/** In a worker: holds a lock until it ends, and tells the page its name once it has it. */
export function holdLife(): void {
  const name = `finetab ${self.name} ${crypto.randomUUID()}`;
  void navigator.locks?.request(name, () => {
    self.postMessage({ [KEY]: name });
    return new Promise(() => undefined);
  });
}

/** In the page: calls `onEnd` once the worker is gone, unless it is told to stop watching. @returns stops watching */
export function watchLife(worker: Worker, onEnd: () => void): () => void {
  const watching = new AbortController();
  const hear = ({ data }: MessageEvent<Record<string, unknown> | null>) => {
    const name = data?.[KEY];
    if (typeof name !== 'string') return;
    worker.removeEventListener('message', hear);
    if (watching.signal.aborted) return;
    navigator.locks.request(name, { signal: watching.signal }, onEnd).catch(() => undefined);
  };
  worker.addEventListener('message', hear);
  return () => watching.abort();
}
