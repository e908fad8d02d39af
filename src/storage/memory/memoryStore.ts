/**
 * What takes the place of IndexedDB where the browser keeps no data for the page: maps in one thread, which
 * all other threads ask over ports. It is gone with the page.
 */

/** A range of keys, as IDBKeyRange has it, which cannot be cloned. */
export interface KeyRange {
  lower?: IDBValidKey;
  upper?: IDBValidKey;
  lowerOpen: boolean;
  upperOpen: boolean;
}

export interface Query {
  range: KeyRange;
  /** A field and the value that it must have. */
  where?: { field: string; value: IDBValidKey };
  /** The keys alone: `value` is then undefined. */
  keysOnly: boolean;
}

export interface Entry {
  key: IDBValidKey;
  value: unknown;
}

export type Write =
  | { kind: 'put'; store: string; key: IDBValidKey; value: unknown }
  | { kind: 'delete'; store: string; range: KeyRange };

/** What other threads ask. */
export interface MemoryStoreApi {
  /** Entries in a range, by key. */
  read(store: string, query: Query): Promise<Entry[]>;
  /** All of them at once. */
  write(writes: readonly Write[]): Promise<void>;
}

export class MemoryStore implements MemoryStoreApi {
  private readonly stores = new Map<string, Map<string, Entry>>();

  async read(store: string, { range, where, keysOnly }: Query): Promise<Entry[]> {
    const only = onlyKey(range);
    const entries = only === null ? [...this.of(store).values()] : [this.of(store).get(only)];
    return entries
      .filter((entry): entry is Entry => entry !== undefined && isInside(entry.key, range))
      .filter(({ value }) => !where || (value as Record<string, unknown>)[where.field] === where.value)
      .sort((a, b) => compareKeys(a.key, b.key))
      .map(({ key, value }) => ({ key, value: keysOnly ? undefined : value }));
  }

  async write(writes: readonly Write[]): Promise<void> {
    for (const write of writes) {
      const entries = this.of(write.store);
      if (write.kind === 'put') entries.set(nameOf(write.key), { key: write.key, value: write.value });
      else for (const [name, { key }] of entries) if (isInside(key, write.range)) entries.delete(name);
    }
  }

  private of(store: string): Map<string, Entry> {
    let entries = this.stores.get(store);
    if (!entries) {
      entries = new Map<string, Entry>();
      this.stores.set(store, entries);
    }
    return entries;
  }
}

/** As IndexedDB orders the keys that are used here: numbers, then strings, then arrays. */
export function compareKeys(a: IDBValidKey, b: IDBValidKey): number {
  const [rankA, rankB] = [rankOf(a), rankOf(b)];
  if (rankA !== rankB) return rankA - rankB;
  if (!Array.isArray(a) || !Array.isArray(b)) return a < b ? -1 : a > b ? 1 : 0;
  for (const [i, part] of a.entries()) {
    if (i >= b.length) return 1;
    const order = compareKeys(part, b[i]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function rankOf(key: IDBValidKey): number {
  return Array.isArray(key) ? 2 : typeof key === 'string' ? 1 : 0;
}

function isInside(key: IDBValidKey, { lower, upper, lowerOpen, upperOpen }: KeyRange): boolean {
  const below = lower === undefined ? 1 : compareKeys(key, lower);
  const above = upper === undefined ? -1 : compareKeys(key, upper);
  return (lowerOpen ? below > 0 : below >= 0) && (upperOpen ? above < 0 : above <= 0);
}

function nameOf(key: IDBValidKey): string {
  return JSON.stringify(key);
}

/** The name of the one key of a range; null where it may have several. */
function onlyKey({ lower, upper }: KeyRange): string | null {
  if (lower === undefined || upper === undefined || compareKeys(lower, upper) !== 0) return null;
  return nameOf(lower);
}
