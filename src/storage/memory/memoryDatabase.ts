/**
 * The part of idb's database that src/storage uses, over a MemoryStore of another thread. A transaction sees
 * its own writes; they reach the store together once nothing more was asked for, or not at all.
 */
import type { Database } from '../database.ts';
import {
  MemoryStore,
  type Entry,
  type KeyRange,
  type MemoryStoreApi,
  type Query,
  type Write,
} from './memoryStore.ts';

type Key = IDBValidKey;
type KeyOrRange = Key | IDBKeyRange | undefined;

/** The field or fields of a value that are its key; of the other stores the key is given beside it. */
const KEY_PATHS: Readonly<Record<string, string | readonly string[]>> = {
  models: 'id',
  runs: 'id',
  checkpoints: 'id',
  evaluations: ['runId', 'name', 'step'],
};

/** @param api of the store, or a port's proxy of it */
export function memoryDatabase(api: MemoryStoreApi): Database {
  const once = <T>(store: string, work: (view: StoreView) => Promise<T>): Promise<T> => {
    const transaction = new MemoryTransaction(api, [store]);
    return work(transaction.objectStore(store)).then(async (result) => {
      await transaction.done;
      return result;
    });
  };
  const database = {
    get: (store: string, key: KeyOrRange) => once(store, (view) => view.get(key)),
    getKey: (store: string, key: KeyOrRange) => once(store, (view) => view.getKey(key)),
    put: (store: string, value: unknown, key?: Key) => once(store, (view) => view.put(value, key)),
    delete: (store: string, key: KeyOrRange) => once(store, (view) => view.delete(key)),
    count: (store: string, key?: KeyOrRange) =>
      once(store, async (view) => (await view.getAllKeys(key)).length),
    getAll: (store: string, key?: KeyOrRange) => once(store, (view) => view.getAll(key)),
    getAllKeys: (store: string, key?: KeyOrRange) => once(store, (view) => view.getAllKeys(key)),
    getAllKeysFromIndex: (store: string, index: string, value: Key) =>
      once(store, (view) => view.index(index).getAllKeys(value)),
    transaction: (stores: string | string[]) => new MemoryTransaction(api, [stores].flat()),
    close: () => undefined,
  };
  return database as unknown as Database;
}

class MemoryTransaction {
  readonly done: Promise<void>;
  error: DOMException | null = null;
  private readonly writes: Write[] = [];
  private open = 0;
  private settle!: { resolve: () => void; reject: (error: unknown) => void };

  constructor(
    private readonly api: MemoryStoreApi,
    private readonly names: readonly string[],
  ) {
    this.done = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    // It may fail before anybody waits for it.
    this.done.catch(() => undefined);
    this.endSoon();
  }

  get store(): StoreView {
    return this.objectStore(this.names[0]!);
  }

  objectStore(name: string): StoreView {
    return new StoreView(name, (work) => this.during(work), this.api, this.writes);
  }

  abort(): void {
    this.error = new DOMException('The transaction was aborted.', 'AbortError');
    this.writes.length = 0;
    this.settle.reject(this.error);
  }

  private async during<T>(work: () => Promise<T>): Promise<T> {
    this.open++;
    try {
      return await work();
    } finally {
      this.open--;
      this.endSoon();
    }
  }

  /** As IndexedDB does it: once no request is open and none followed. */
  private endSoon(): void {
    setTimeout(() => {
      if (this.open > 0 || this.error) return;
      this.open = Infinity;
      this.api.write(this.writes).then(this.settle.resolve, this.settle.reject);
    });
  }
}

class StoreView {
  constructor(
    private readonly name: string,
    private readonly during: <T>(work: () => Promise<T>) => Promise<T>,
    private readonly api: MemoryStoreApi,
    private readonly writes: Write[],
  ) {}

  async get(query: KeyOrRange): Promise<unknown> {
    return (await this.entries(query))[0]?.value;
  }

  async getKey(query: KeyOrRange): Promise<Key | undefined> {
    return (await this.entries(query, { keysOnly: true }))[0]?.key;
  }

  async getAll(query?: KeyOrRange): Promise<unknown[]> {
    return (await this.entries(query)).map(({ value }) => value);
  }

  async getAllKeys(query?: KeyOrRange): Promise<Key[]> {
    return keysOf(await this.entries(query, { keysOnly: true }));
  }

  put(value: unknown, key?: Key): Promise<Key> {
    return this.during(async () => {
      const found = key ?? this.keyOf(value);
      this.writes.push({ kind: 'put', store: this.name, key: found, value: structuredClone(value) });
      return found;
    });
  }

  delete(query: KeyOrRange): Promise<void> {
    return this.during(async () => {
      this.writes.push({ kind: 'delete', store: this.name, range: rangeOf(query) });
    });
  }

  /** An index has the name of the field that it is over. */
  index(field: string) {
    return {
      getAllKeys: async (value: Key): Promise<Key[]> =>
        keysOf(await this.entries(undefined, { keysOnly: true, where: { field, value } })),
    };
  }

  /** What the store has, with what this transaction wrote. */
  private entries(keyOrRange: KeyOrRange, more: Partial<Query> = {}): Promise<Entry[]> {
    return this.during(async () => {
      const query = { range: rangeOf(keyOrRange), keysOnly: false, ...more };
      const own = this.writes.filter(({ store }) => store === this.name);
      if (own.length === 0) return this.api.read(this.name, query);
      const view = new MemoryStore();
      const entries = await this.api.read(this.name, { range: query.range, keysOnly: false });
      await view.write(entries.map((entry) => ({ kind: 'put', store: this.name, ...entry })));
      await view.write(own);
      return view.read(this.name, query);
    });
  }

  private keyOf(value: unknown): Key {
    const path = KEY_PATHS[this.name]!;
    const fields = value as Record<string, Key>;
    return typeof path === 'string' ? fields[path]! : path.map((field) => fields[field]!);
  }
}

const keysOf = (entries: readonly Entry[]): Key[] => entries.map(({ key }) => key);

function rangeOf(query: KeyOrRange): KeyRange {
  if (query === undefined) return { lowerOpen: false, upperOpen: false };
  if (query instanceof IDBKeyRange) {
    const { lowerOpen, upperOpen } = query;
    const { lower, upper } = query as { lower: Key | undefined; upper: Key | undefined };
    return { lower, upper, lowerOpen, upperOpen };
  }
  return { lower: query, upper: query, lowerOpen: false, upperOpen: false };
}
