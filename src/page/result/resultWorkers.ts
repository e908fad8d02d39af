import type { DataFiles } from '../data/DataFiles.svelte.ts';
import type { SupervisedWorker } from '../../worker/supervisedWorker.ts';
import type { HistoryApi } from '../../worker/history/historyProtocol.ts';
import type { TrainerApi } from '../../worker/trainer/trainerProtocol.ts';

/** The workers that a result needs. */
export interface ResultWorkers {
  trainer: SupervisedWorker<TrainerApi>;
  history: SupervisedWorker<HistoryApi>;
  /** The data files that the page has now. */
  data: () => DataFiles;
}
