/** Rows of one data file ranked by their loss, and how that stands. */
import { t } from '../../language/messages.svelte.ts';
import { withListener, type Remote } from '../../../worker/client.ts';
import type { DatasetApi } from '../../../worker/dataset/datasetProtocol.ts';
import type { RowsByLoss } from '../../../worker/dataset/rowsByLoss.ts';
import type { EvaluationApi } from '../../../worker/evaluation/evaluationProtocol.ts';
import type { SupervisedWorker } from '../../../worker/supervisedWorker.ts';
import type { TrainerApi } from '../../../worker/trainer/trainerProtocol.ts';
import { reported } from '../../errors/reported.ts';

/** Rows shown at either end. */
const SHOWN = 10;
/** Training rows that are scored: of a large file a part, so that it takes seconds to minutes. */
const SAMPLED = 1000;

/** The adapter by which training rows are scored. */
export interface Scoring {
  runId: string;
  modelId: string;
  trainer: SupervisedWorker<TrainerApi>;
}

/** A data file's workers, as far as they rank. */
interface RankedFile {
  readonly title: string;
  askDataset<R>(question: (api: Remote<DatasetApi>) => Promise<R>): Promise<R>;
  askEvaluation<R>(question: (api: Remote<EvaluationApi>) => Promise<R>): Promise<R>;
}

/** It outlives the readings of its file, so that one row after the other can be left out. */
export class LossRanking {
  ranked = $state.raw<RowsByLoss | null>(null);
  failure = $state<string | null>(null);
  /** Of micro-batches. */
  progress = $state.raw<{ done: number; total: number } | null>(null);

  constructor(private readonly file: RankedFile) {}

  /** The rows have other ids now. */
  clear(): void {
    this.ranked = this.failure = null;
  }

  /** By the last evaluation of a validation file. */
  byEvaluation(): Promise<void> {
    return this.rank(async () => {
      const ranked = await this.file.askEvaluation((api) => api.rowsByLoss(SHOWN));
      if (!ranked) this.failure = t.data.notEvaluatedYet;
      return ranked;
    });
  }

  /** By a pass over training rows with the adapter of a result. @param modelId whose ids the rows are */
  byPass(scoring: Scoring | null, modelId: string | null): Promise<void> {
    return this.rank(async () => {
      if (!scoring || scoring.modelId !== modelId) {
        this.failure = t.data.noResultToScoreWith;
        return null;
      }
      const { trainer, runId } = scoring;
      const { rows, documents } = await this.file.askDataset((api) => api.sample(SAMPLED));
      const losses = await withListener(
        (done: number, total: number) => (this.progress = { done, total }),
        (send) => trainer.ask((api) => api.documentLosses(runId, documents, send)),
      );
      return this.file.askDataset((api) => api.rowsByLoss(rows, losses, SHOWN));
    });
  }

  /** Ends the pass: what was scored so far is ranked. */
  stop({ trainer }: Scoring): void {
    void trainer.api.stopAnswers();
  }

  private async rank(work: () => Promise<RowsByLoss | null>): Promise<void> {
    this.failure = null;
    this.progress = { done: 0, total: 0 };
    try {
      this.ranked = await work();
    } catch (error) {
      this.failure = reported(error, `ranking the rows of ${this.file.title}`);
    }
    this.progress = null;
  }
}
