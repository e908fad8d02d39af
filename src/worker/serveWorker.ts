/**
 * What every worker does once it has its API: forwards its errors, shows that it is alive, and answers calls.
 */
import { expose } from 'comlink';
import { forwardErrors } from './errorForwarding.ts';
import { holdLivenessLock } from './liveness.ts';
import { keepInMemoryIfBlocked } from './memory/memoryPorts.ts';

export function serveWorker(api: object): void {
  forwardErrors();
  keepInMemoryIfBlocked();
  expose(api);
  holdLivenessLock();
}
