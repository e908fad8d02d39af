import type { Remote } from '../../worker/client.ts';
import type { HistoryApi, TrainerApi } from '../../worker/protocol.ts';

/** The workers that a result needs; the trainer's is replaced where it crashed. */
export interface ResultWorkers {
  trainer(): Remote<TrainerApi>;
  history(): Remote<HistoryApi>;
}
