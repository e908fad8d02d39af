/**
 * The store of a memoryDatabase whose chunks of weights lie in a file: a model is imported in Node as the
 * page imports it, without being whole in memory.
 */
import { open, rm, type FileHandle } from 'node:fs/promises';
import { MemoryStore, type Entry, type MemoryStoreApi } from '../../src/storage/memory/memoryStore.ts';

const SPOOLED = 'chunks';

interface Place {
  at: number;
  bytes: number;
}

export interface SpooledStore extends MemoryStoreApi {
  /** Removes the file. */
  close(): Promise<void>;
}

/** @param path of the file, which is replaced */
export async function spooledStore(path: string): Promise<SpooledStore> {
  const file = await open(path, 'w+');
  const store = new MemoryStore();
  let end = 0;
  const spool = async (value: Uint8Array): Promise<Place> => {
    const place = { at: end, bytes: value.byteLength };
    end += value.byteLength;
    await file.write(value, 0, value.byteLength, place.at);
    return place;
  };
  return {
    async read(name, query) {
      const entries = await store.read(name, query);
      if (name !== SPOOLED || query.keysOnly) return entries;
      return Promise.all(
        entries.map(async (entry): Promise<Entry> => ({ ...entry, value: await load(file, entry) })),
      );
    },
    async write(writes) {
      const kept = [];
      for (const write of writes)
        kept.push(
          write.kind === 'put' && write.store === SPOOLED
            ? { ...write, value: await spool(write.value as Uint8Array) }
            : write,
        );
      await store.write(kept);
    },
    async close() {
      await file.close();
      await rm(path, { force: true });
    },
  };
}

async function load(file: FileHandle, { value }: Entry): Promise<Uint8Array> {
  const { at, bytes } = value as Place;
  const read = new Uint8Array(bytes);
  await file.read(read, 0, bytes, at);
  return read;
}
