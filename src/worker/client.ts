/** Starts workers and wraps them: the only place where the page makes one. */
import { proxy, wrap, type ProxyMarked, type Remote } from 'comlink';
import type { RequestMade } from '../lib/requests.ts';
import { requestsHere } from './networkRequests.ts';
import { requestsOf, watchLife } from './liveness.ts';
import type { DatasetApi } from './dataset/datasetProtocol.ts';
import type { EvaluationApi } from './evaluation/evaluationProtocol.ts';
import type { HistoryApi } from './history/historyProtocol.ts';
import type { ImportApi } from './import/importProtocol.ts';
import type { TrainerApi } from './trainer/trainerProtocol.ts';

export { proxy, transfer, type Remote } from 'comlink';

export interface WorkerHandle<T> {
  api: Remote<T>;
  terminate(): void;
}

const living = new Set<Worker>();
/** Made by workers that were ended. */
const past: RequestMade[] = [];

/**
 * Has a worker do work that tells how far it is. What is told comes by a port of its own, and so perhaps after the result: nothing is heard from then on.
 * @param work is given the function to hand to the worker
 */
export async function listening<Told extends unknown[], T>(
  onTold: (...told: Told) => void,
  work: (tell: ((...told: Told) => void) & ProxyMarked) => Promise<T>,
): Promise<T> {
  let isOpen = true;
  const tell = proxy((...told: Told): void => {
    if (isOpen) onTold(...told);
  });
  try {
    return await work(tell);
  } finally {
    isOpen = false;
  }
}

/** Every network request of the page and of its workers. */
export async function requestsMade(): Promise<RequestMade[]> {
  return [...requestsHere('page'), ...past, ...(await Promise.all([...living].map(requestsOf))).flat()];
}

/** What a worker asked for is remembered before it is ended. */
async function endWorker(worker: Worker): Promise<void> {
  living.delete(worker);
  past.push(...(await requestsOf(worker)));
  worker.terminate();
}

/** @param onCrash told once, of an error that nothing caught or of the worker's end */
function start<T>(worker: Worker, onCrash: (message: string) => void): WorkerHandle<T> {
  living.add(worker);
  let ended = false;
  const end = (message: string | null) => {
    if (ended) return;
    ended = true;
    stopWatching();
    if (message === null) void endWorker(worker);
    else {
      living.delete(worker);
      onCrash(message);
    }
  };
  const stopWatching = watchLife(worker, () => end('it ended without a word, as when memory runs out'));
  worker.addEventListener('error', (event) => end(event.message || 'the worker could not be loaded'));
  worker.addEventListener('messageerror', () => end('a message could not be read'));
  return { api: wrap<T>(worker), terminate: () => (ended ? worker.terminate() : end(null)) };
}

export function startImport(onCrash: (message: string) => void): WorkerHandle<ImportApi> {
  return start(
    new Worker(new URL('./import/import.worker.ts', import.meta.url), { type: 'module', name: 'import' }),
    onCrash,
  );
}

export function startDataset(onCrash: (message: string) => void): WorkerHandle<DatasetApi> {
  return start(
    new Worker(new URL('./dataset/dataset.worker.ts', import.meta.url), { type: 'module', name: 'dataset' }),
    onCrash,
  );
}

export function startEvaluation(
  set: string,
  onCrash: (message: string) => void,
): WorkerHandle<EvaluationApi> {
  return start(
    new Worker(new URL('./evaluation/evaluation.worker.ts', import.meta.url), {
      type: 'module',
      name: `evaluation ${set}`,
    }),
    onCrash,
  );
}

export function startHistory(onCrash: (message: string) => void): WorkerHandle<HistoryApi> {
  return start(
    new Worker(new URL('./history/history.worker.ts', import.meta.url), { type: 'module', name: 'history' }),
    onCrash,
  );
}

export function startTrainer(onCrash: (message: string) => void): WorkerHandle<TrainerApi> {
  return start(
    new Worker(new URL('./trainer/trainer.worker.ts', import.meta.url), { type: 'module', name: 'trainer' }),
    onCrash,
  );
}
