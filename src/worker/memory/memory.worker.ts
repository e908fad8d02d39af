/**
 * Holds what the page's other workers would keep in IndexedDB, where the browser keeps no data for the
 * page.
 */
import { expose } from 'comlink';
import { MemoryStore } from '../../storage/memory/memoryStore.ts';
import { forwardErrors } from '../errorForwarding.ts';
import { holdLivenessLock } from '../liveness.ts';

forwardErrors();
holdLivenessLock();
const store = new MemoryStore();
self.addEventListener('message', ({ ports: [port] }: MessageEvent<unknown>) => {
  if (port) expose(store, port);
});
