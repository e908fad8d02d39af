/**
 * A second thread for an import: reading and quantising take most of the time, and one thread leaves cores
 * idle.
 */
import { proxy, wrap } from 'comlink';
import type { TensorLane } from '../../import/tensorLane.ts';
import { receiveErrors } from '../errorForwarding.ts';
import { spawnWorker } from '../spawnWorker.ts';
import tensorsScript from './tensors.worker.ts?worker&url';
import { watchLiveness } from '../liveness.ts';
import { passMemoryPorts } from '../memory/memoryPorts.ts';

/**
 * Runs `work` with lanes in this thread and in a second one, which is ended with it. Where a second thread
 * cannot be started, or ends half way, this thread imports its tensors.
 */
export async function withTensorThread<T>(
  here: TensorLane,
  work: (lanes: readonly TensorLane[]) => Promise<T>,
): Promise<T> {
  if (typeof Worker === 'undefined' || navigator.hardwareConcurrency < 2) return work([here, here]);
  const worker = spawnWorker(tensorsScript, 'tensors');
  passMemoryPorts(worker);
  let stopWatching = () => undefined as void;
  const ended = new Promise<null>((resolve) => {
    receiveErrors(worker, () => resolve(null));
    stopWatching = watchLiveness(worker, () => resolve(null));
  });
  const api = wrap<{ store: TensorLane }>(worker);
  let isThere = true;
  const beside: TensorLane = async (modelId, tensor, info, onRead) => {
    const stored = isThere
      ? await Promise.race([api.store(modelId, tensor, info, proxy(onRead)), ended])
      : null;
    isThere = stored !== null;
    return stored ?? here(modelId, tensor, info, onRead);
  };
  try {
    return await work([here, beside]);
  } finally {
    stopWatching();
    worker.terminate();
  }
}
