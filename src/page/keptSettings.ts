/**
 * Small settings that this browser remembers. Where it keeps no data for the page (site data is blocked),
 * they live as long as the page does.
 */
import { report } from '../lib/errorLog.ts';

const inMemory = new Map<string, string>();

export function keptSetting(key: string): string | null {
  return attempt(() => localStorage.getItem(key)) ?? inMemory.get(key) ?? null;
}

/** @param value null removes it */
export function keepSetting(key: string, value: string | null): void {
  if (value === null) inMemory.delete(key);
  else inMemory.set(key, value);
  attempt(() => (value === null ? localStorage.removeItem(key) : localStorage.setItem(key, value)));
}

/** Browsers throw a SecurityError where site data is blocked, for the mere name of the storage. */
function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    report(error, "using the browser's storage for settings", 'warning');
    return null;
  }
}
