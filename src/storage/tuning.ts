/**
 * Measured times of kernel levels, by kernels' sources, adapter and model shapes. What is lost is measured
 * again.
 */
import type { Database } from './database.ts';

interface Scope {
  kernels: string;
  adapter: string;
}

/** @returns the entries of a scope by key, as they were stored */
export async function readTuning(
  database: Database,
  { kernels, adapter }: Scope,
): Promise<Map<string, unknown>> {
  const range = IDBKeyRange.bound([kernels, adapter], [kernels, adapter, []]);
  const [keys, entries] = await Promise.all([
    database.getAllKeys('tuning', range),
    database.getAll('tuning', range),
  ]);
  return new Map(keys.map(([, , key], i) => [key, entries[i]]));
}

/** Stores an entry, and removes those of other builds' kernels. */
export async function putTuning(
  database: Database,
  { kernels, adapter }: Scope,
  key: string,
  entry: unknown,
): Promise<void> {
  const transaction = database.transaction('tuning', 'readwrite');
  await Promise.all([
    transaction.store.delete(IDBKeyRange.upperBound([kernels], true)),
    transaction.store.delete(IDBKeyRange.lowerBound([kernels, []])),
    transaction.store.put(entry, [kernels, adapter, key]),
    transaction.done,
  ]);
}

/** Reads and writes in a database that may still be opening. */
export function tuningIn(database: Promise<Database>) {
  return {
    read: async (scope: Scope) => readTuning(await database, scope),
    put: async (scope: Scope, key: string, entry: unknown) => putTuning(await database, scope, key, entry),
  };
}
