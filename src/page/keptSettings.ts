/**
 * Small settings that this browser remembers. Where it keeps no data for the page (site data is blocked),
 * they live as long as the page does.
 */
import { report } from '../lib/errorLog.ts';

/** What the browser did not take. */
const inMemory = new Map<string, string>();

export function keptSetting(key: string): string | null {
  return inMemory.get(key) ?? attempt(() => localStorage.getItem(key)).value ?? null;
}

/** @param value null removes it @returns whether the browser keeps it over a reload */
export function keepSetting(key: string, value: string | null): boolean {
  inMemory.delete(key);
  const { done } = attempt(() =>
    value === null ? localStorage.removeItem(key) : localStorage.setItem(key, value),
  );
  if (!done && value !== null) inMemory.set(key, value);
  return done;
}

/**
 * Browsers throw a SecurityError where site data is blocked, for the mere name of the storage, and a
 * QuotaExceededError where its few million characters are full.
 */
function attempt<T>(work: () => T): { done: boolean; value?: T } {
  try {
    return { done: true, value: work() };
  } catch (error) {
    report(error, "using the browser's storage for settings", 'warning');
    return { done: false };
  }
}
