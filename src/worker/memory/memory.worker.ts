/**
 * Holds what the page's other workers would keep in IndexedDB, where the browser keeps no data for the
 * page.
 */
import { expose } from 'comlink';
import { MemoryStore } from '../../storage/memory/memoryStore.ts';
import { serveWorker } from '../serveWorker.ts';
import type { MemoryWorkerApi } from './memoryPorts.ts';

const store = new MemoryStore();
serveWorker({ serve: (port) => expose(store, port) } satisfies MemoryWorkerApi);
