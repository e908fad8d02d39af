/**
 * How workers come to the store in memory: each sends a port up, through the worker that started it, to the
 * page, which hands it to memory.worker.
 */
import { wrap } from 'comlink';
import { useInMemory } from '../../storage/openDatabase.ts';
import { memoryDatabase } from '../../storage/memory/memoryDatabase.ts';
import type { MemoryStoreApi } from '../../storage/memory/memoryStore.ts';

/** Of memory.worker: answers the calls of one more worker, which come by this port. */
export interface MemoryWorkerApi {
  serve(port: MessagePort): void;
}

const KEY = 'finetabMemoryPort';

/** In a worker: where IndexedDB cannot be opened, the page's memory takes its place. */
export function keepInMemoryIfBlocked(): void {
  useInMemory((cause) => {
    const { port1, port2 } = new MessageChannel();
    self.postMessage({ [KEY]: cause }, { transfer: [port2] });
    return memoryDatabase(wrap<MemoryStoreApi>(port1));
  });
}

/** In a worker that starts others: hands their ports on. */
export function passMemoryPorts(worker: Worker): void {
  receiveMemoryPorts(worker, (port, cause) => self.postMessage({ [KEY]: cause }, { transfer: [port] }));
}

/** In the page. @param give is given each port, and why the browser keeps no data */
export function receiveMemoryPorts(worker: Worker, give: (port: MessagePort, cause: string) => void): void {
  worker.addEventListener(
    'message',
    ({ data, ports: [port] }: MessageEvent<Record<string, unknown> | null>) => {
      const cause = data?.[KEY];
      if (typeof cause === 'string' && port) give(port, cause);
    },
  );
}
