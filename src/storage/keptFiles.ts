/** Data files of the work at hand, as the page keeps them over a reload: a copy, or a handle to the disk. */
import { storing, type Database, type KeptFile } from './database.ts';

export async function putKeptFile(database: Database, id: string, file: KeptFile): Promise<void> {
  await storing(() => database.put('files', file, id), 'the file is not kept over a reload, all else is');
}

export async function readKeptFiles(database: Database): Promise<Map<string, KeptFile>> {
  const transaction = database.transaction('files');
  const [ids, files] = await Promise.all([transaction.store.getAllKeys(), transaction.store.getAll()]);
  return new Map(ids.map((id, i) => [id, files[i]!]));
}

export async function removeKeptFiles(database: Database, ids: readonly string[]): Promise<void> {
  const transaction = database.transaction('files', 'readwrite');
  await Promise.all([...ids.map((id) => transaction.store.delete(id)), transaction.done]);
}
