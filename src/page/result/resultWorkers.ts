import type { Remote } from '../../worker/client.ts';
import type { HistoryApi } from '../../worker/history/historyProtocol.ts';
import type { TrainerApi } from '../../worker/trainer/trainerProtocol.ts';

/** The workers that a result needs; the trainer's is replaced where it crashed. */
export interface ResultWorkers {
  trainer(): Remote<TrainerApi>;
  history(): Remote<HistoryApi>;
}
