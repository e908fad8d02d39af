/**
 * Notifies the page when a worker has ended, and gives it the network requests that a living worker made. A
 * browser says nothing when a worker is ended or runs out of memory, but it frees what the worker held: each
 * worker holds a lock of its own for as long as it lives (Web Locks), and the page waits for that lock.
 */
import { report } from '../lib/errorLog.ts';
import type { RequestMade } from '../lib/requests.ts';
import { requestsHere } from './networkRequests.ts';

const LOCK_KEY = 'finetabLivenessLock';
const REQUESTS_KEY = 'finetabRequests';
const PING_KEY = 'finetabPing';
/** Between two pings of a worker that reads what others wrote. */
const PING_MS = 5000;
/**
 * Pings without an answer after which such a worker is ended: two minutes in which it did not finish one
 * step. They are counted, not timed, so that a computer which slept ends nobody.
 */
const SILENT_PINGS = 24;
/** A worker that is computing answers late. */
const REQUESTS_MS = 2000;

/** In a worker: holds a lock until the worker ends, and sends the lock's name to the page once it is held. */
export function holdLivenessLock(): void {
  self.addEventListener('message', ({ data, ports }: MessageEvent<unknown>) => {
    if (data === REQUESTS_KEY) ports[0].postMessage(requestsHere(`${self.name} worker`));
    if (data === PING_KEY) ports[0].postMessage(true);
  });
  const name = `finetab ${self.name} ${crypto.randomUUID()}`;
  // Where site data is blocked there are no locks: the page then only hears of errors.
  navigator.locks
    ?.request(name, () => {
      self.postMessage({ [LOCK_KEY]: name });
      return new Promise(() => undefined);
    })
    .catch((error: unknown) => report(error, 'taking the lock that shows a worker alive', 'warning'));
}

/** In the page: the requests that a worker made; none where the worker does not answer in time. */
export function requestsOf(worker: Worker): Promise<RequestMade[]> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    const late = setTimeout(() => {
      report(new Error(`no answer within ${REQUESTS_MS} ms`), 'asking a worker for its requests', 'warning');
      resolve([]);
    }, REQUESTS_MS);
    port1.onmessage = ({ data }: MessageEvent<RequestMade[]>) => {
      clearTimeout(late);
      port1.close();
      resolve(data);
    };
    worker.postMessage(REQUESTS_KEY, [port2]);
  });
}

/** In the page: calls `onEnd` once the worker is gone. @returns ends the watch */
export function watchLiveness(worker: Worker, onEnd: () => void): () => void {
  const watching = new AbortController();
  const receive = ({ data }: MessageEvent<Record<string, unknown> | null>) => {
    const name = data?.[LOCK_KEY];
    if (typeof name !== 'string') return;
    worker.removeEventListener('message', receive);
    if (watching.signal.aborted) return;
    navigator.locks.request(name, { signal: watching.signal }, onEnd).catch((error: unknown) => {
      // Ending the watch aborts the request: that is expected.
      if (!watching.signal.aborted) report(error, "waiting for a worker's lock");
    });
  };
  worker.addEventListener('message', receive);
  return () => watching.abort();
}

/** What a worker is ended for that a step of a model's files, or of a row, keeps busy. */
export const SILENT =
  "it did not finish one step within two minutes, and was ended: the model's chat template (chat_template.jinja or tokenizer_config.json), a pattern of its tokenizer.json, or a row does not end. Use the model's original files, or look at the longest rows";

/**
 * In the page: pings a worker, which a computation that does not end keeps from answering. Budgets inside the
 * worker end most of them earlier, but none can interrupt a regular expression.
 * @param onSilence is called once, where it has not answered for too long
 * @returns ends the watch
 */
export function watchAnswers(worker: Worker, onSilence: () => void, pingMs = PING_MS): () => void {
  let unanswered = 0;
  const timer = setInterval(() => {
    if (unanswered >= SILENT_PINGS) {
      clearInterval(timer);
      onSilence();
      return;
    }
    const { port1, port2 } = new MessageChannel();
    unanswered++;
    port1.onmessage = () => {
      unanswered = 0;
      port1.close();
    };
    worker.postMessage(PING_KEY, [port2]);
  }, pingMs);
  return () => clearInterval(timer);
}
