/** Records the network requests of the thread that imports it. */
import type { RequestMade } from '../lib/requests.ts';

// Browsers keep the first 250 otherwise; a model comes in more pieces.
globalThis.performance?.setResourceTimingBufferSize?.(20_000);

/**
 * @param thread what the report calls it
 * @returns what the browser recorded so far, the page's own files among it
 */
export function requestsHere(thread: string): RequestMade[] {
  const made = [
    ...performance.getEntriesByType('navigation'),
    ...performance.getEntriesByType('resource'),
  ] as PerformanceResourceTiming[];
  return made
    .filter(({ name }) => /^https?:/.test(name))
    .map(({ name, transferSize }) => ({ url: name, bytes: transferSize ?? 0, thread }));
}
