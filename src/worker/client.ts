/** Starts workers and wraps them: the only place where the page makes one. */
import { proxy, transfer, wrap, type ProxyMarked, type Remote } from 'comlink';
import evaluationScript from './evaluation/evaluation.worker.ts?worker&url';
import historyScript from './history/history.worker.ts?worker&url';
import importScript from './import/import.worker.ts?worker&url';
import memoryScript from './memory/memory.worker.ts?worker&url';
import trainerScript from './trainer/trainer.worker.ts?worker&url';
import { entryOf, record, recordedErrors, report } from '../lib/errorLog.ts';
import type { RequestMade } from '../lib/requests.ts';
import { receiveErrors } from './errorForwarding.ts';
import { receiveMemoryPorts, type MemoryWorkerApi } from './memory/memoryPorts.ts';
import { requestsOf, SILENT, watchAnswers, watchLiveness } from './liveness.ts';
import { requestsHere } from './networkRequests.ts';
import { spawnWorker } from './spawnWorker.ts';
import type { PageTrace } from './pageTrace.ts';
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
/** Holds what IndexedDB would, where the browser keeps no data for the page. */
let memory: Remote<MemoryWorkerApi> | null = null;
let onMemory: (cause: string) => void = () => undefined;

/** @param listener is called, perhaps often, once workers keep in memory what the browser would not keep */
export function whenInMemory(listener: (cause: string) => void): void {
  onMemory = listener;
}

function giveMemory(port: MessagePort, cause: string): void {
  memory ??= startMemory();
  memory
    .serve(transfer(port, [port]))
    .catch((error: unknown) => report(error, 'handing a port to the memory worker'));
  onMemory(cause);
}

function startMemory(): Remote<MemoryWorkerApi> {
  const worker = spawnWorker(memoryScript, 'memory');
  // What it held is gone: the workers that wait for it would wait for good.
  receiveErrors(worker, (message) => onMemory(`The memory that took its place is gone too (${message}).`));
  return wrap<MemoryWorkerApi>(worker);
}

/** Requests of workers that were ended. */
const past: RequestMade[] = [];

/**
 * Has a worker do work and listens to what it reports meanwhile. Reports come by a port of their own and so
 * may arrive after the result: from then on they are dropped.
 * @param work is given the function to hand to the worker
 */
export async function withListener<Report extends unknown[], T>(
  listener: (...report: Report) => void,
  work: (send: ((...report: Report) => void) & ProxyMarked) => Promise<T>,
): Promise<T> {
  let isOpen = true;
  const send = proxy((...report: Report): void => {
    if (isOpen) listener(...report);
  });
  try {
    return await work(send);
  } finally {
    isOpen = false;
  }
}

/**
 * Every network request of the page and of its workers, and their recorded errors.
 * @param since ISO 8601; of errors
 */
export async function pageTrace(since: string): Promise<PageTrace> {
  const ofWorkers = await Promise.all([...living].map(requestsOf));
  return {
    requests: [...requestsHere('page'), ...past, ...ofWorkers.flat()],
    errors: recordedErrors().filter(({ at }) => at >= since),
  };
}

/** Keeps what a worker requested before it is ended. */
async function endWorker(worker: Worker): Promise<void> {
  living.delete(worker);
  for (const request of await requestsOf(worker)) past.push(request);
  worker.terminate();
}

/**
 * @param onCrash is called once: with an error that nothing caught, when the worker has ended, or does not
 * answer
 * @param mustAnswer whether it runs what came with a model's files or rows, which may not end
 */
function start<T>(
  worker: Worker,
  name: string,
  onCrash: (message: string) => void,
  mustAnswer = false,
): WorkerHandle<T> {
  living.add(worker);
  let ended = false;
  const end = (message: string | null) => {
    if (ended) return;
    ended = true;
    stopWatching();
    stopPinging();
    if (message === null) void endWorker(worker);
    else {
      living.delete(worker);
      onCrash(message);
    }
  };
  const stopWatching = watchLiveness(worker, () => {
    if (ended) return;
    const message = 'it ended without an error, as when memory runs out';
    record(entryOf(new Error(message), `the ${name} worker`));
    end(message);
  });
  const stopPinging = mustAnswer
    ? watchAnswers(worker, () => {
        record(entryOf(new Error(SILENT), `the ${name} worker`));
        end(SILENT);
      })
    : () => undefined;
  receiveErrors(worker, end);
  receiveMemoryPorts(worker, giveMemory);
  return { api: wrap<T>(worker), terminate: () => (ended ? worker.terminate() : end(null)) };
}

export function startImport(onCrash: (message: string) => void): WorkerHandle<ImportApi> {
  return start(spawnWorker(importScript, 'import'), 'import', onCrash, true);
}

export function startDataset(onCrash: (message: string) => void): WorkerHandle<DatasetApi> {
  return start(spawnWorker(evaluationScript, 'dataset'), 'dataset', onCrash, true);
}

/** @param set name of the validation file's set */
export function startEvaluation(
  set: string,
  onCrash: (message: string) => void,
): WorkerHandle<EvaluationApi> {
  return start(spawnWorker(evaluationScript, `evaluation ${set}`), `evaluation ${set}`, onCrash, true);
}

export function startHistory(onCrash: (message: string) => void): WorkerHandle<HistoryApi> {
  return start(spawnWorker(historyScript, 'history'), 'history', onCrash);
}

export function startTrainer(onCrash: (message: string) => void): WorkerHandle<TrainerApi> {
  return start(spawnWorker(trainerScript, 'trainer'), 'trainer', onCrash);
}
