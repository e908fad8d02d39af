/**
 * Which kernels were measured fastest, by build, adapter and shape. Losing it costs only the time of
 * measuring.
 */
import type { Database } from './database.ts';

interface Scope {
  kernels: string;
  adapter: string;
}

/** Entries by shape, as they were put. */
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

/** Both, in a database that may still be opening. */
export function tuningIn(database: Promise<Database>) {
  return {
    read: async (scope: Scope) => readTuning(await database, scope),
    put: async (scope: Scope, key: string, entry: unknown) => putTuning(await database, scope, key, entry),
  };
}
