import type { RequestMade } from '../lib/requests.ts';
import { requestsHere } from './networkRequests.ts';

/**
 * Tells the page that a worker is gone, and, while it lives, which network requests it made. A browser says nothing when a worker is ended or runs out of memory, but it frees what the worker held: each
 * holds a lock of its own as long as it lives (Web Locks), and the page waits for that lock.
 */

const KEY = 'finetabLifeLock';
const REQUESTS_KEY = 'finetabRequests';
/** A worker that is deep in work answers late. */
const REQUESTS_MS = 2000;

/** In a worker: holds a lock until it ends, and tells the page its name once it has it. */
export function holdLife(): void {
  self.addEventListener('message', ({ data, ports }: MessageEvent<unknown>) => {
    if (data === REQUESTS_KEY) ports[0].postMessage(requestsHere(`${self.name} worker`));
  });
  const name = `finetab ${self.name} ${crypto.randomUUID()}`;
  void navigator.locks?.request(name, () => {
    self.postMessage({ [KEY]: name });
    return new Promise(() => undefined);
  });
}

/** In the page: the requests that a worker made; none where it does not answer in time. */
export function requestsOf(worker: Worker): Promise<RequestMade[]> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve([]), REQUESTS_MS);
    port1.onmessage = ({ data }: MessageEvent<RequestMade[]>) => {
      clearTimeout(late);
      port1.close();
      resolve(data);
    };
    worker.postMessage(REQUESTS_KEY, [port2]);
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
