/** Starts workers and wraps them: the only place where the page makes one. */
import { wrap, type Remote } from 'comlink';
import type { DatasetApi, EvaluationApi, HistoryApi, ImportApi, TrainerApi } from './protocol.ts';

export { proxy, transfer } from 'comlink';

export interface WorkerHandle<T> {
  api: Remote<T>;
  terminate(): void;
}

function start<T>(worker: Worker, onCrash: (message: string) => void): WorkerHandle<T> {
  worker.addEventListener('error', (event) => onCrash(event.message || 'the worker could not be loaded'));
  worker.addEventListener('messageerror', () => onCrash('a message could not be read'));
  return { api: wrap<T>(worker), terminate: () => worker.terminate() };
}

export function startImport(onCrash: (message: string) => void): WorkerHandle<ImportApi> {
  return start(new Worker(new URL('./import.worker.ts', import.meta.url), { type: 'module', name: 'import' }), onCrash);
}

export function startDataset(onCrash: (message: string) => void): WorkerHandle<DatasetApi> {
  return start(new Worker(new URL('./dataset.worker.ts', import.meta.url), { type: 'module', name: 'dataset' }), onCrash);
}

export function startEvaluation(set: string, onCrash: (message: string) => void): WorkerHandle<EvaluationApi> {
  return start(new Worker(new URL('./evaluation.worker.ts', import.meta.url), { type: 'module', name: `evaluation ${set}` }), onCrash);
}

export function startHistory(onCrash: (message: string) => void): WorkerHandle<HistoryApi> {
  return start(new Worker(new URL('./history.worker.ts', import.meta.url), { type: 'module', name: 'history' }), onCrash);
}

export function startTrainer(onCrash: (message: string) => void): WorkerHandle<TrainerApi> {
  return start(new Worker(new URL('./trainer.worker.ts', import.meta.url), { type: 'module', name: 'trainer' }), onCrash);
}
