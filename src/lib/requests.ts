/** The network requests that a thread made, as its own browser recorded them (Resource Timing). */

export interface RequestMade {
  url: string;
  /** Bytes over the network; 0 from a cache, and where another host does not say. */
  bytes: number;
  /** Which thread made it. */
  thread: string;
}

// Browsers keep the first 250 otherwise; a model comes in more pieces.
globalThis.performance?.setResourceTimingBufferSize?.(20_000);

export function requestsHere(thread: string): RequestMade[] {
  const made = [
    ...performance.getEntriesByType('navigation'),
    ...performance.getEntriesByType('resource'),
  ] as PerformanceResourceTiming[];
  return made
    .filter(({ name }) => /^https?:/.test(name))
    .map(({ name, transferSize }) => ({ url: name, bytes: transferSize ?? 0, thread }));
}
