/** The result of one run on the page: what it is handed out as, and what is tried with its adapter. */
import { t } from '../language/messages.svelte.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { RunDetails, RunSummary } from '../../worker/history/historyProtocol.ts';
import type { RunOutcome } from '../../worker/trainer/trainerProtocol.ts';
import { AdapterEvaluation } from './AdapterEvaluation.svelte.ts';
import { Chat } from './Chat.svelte.ts';
import { Exports } from './exports/Exports.svelte.ts';
import { HeadToHead } from './HeadToHead.svelte.ts';
import { HeatMap } from './HeatMap.svelte.ts';
import type { ResultWorkers } from './resultWorkers.ts';

/** What is downloaded. */
export interface ResultFiles {
  adapter(): Promise<Map<string, Uint8Array>>;
  metricsJsonl: string;
  recipeJson: string;
  /** Absent of a run that was cut off. */
  report: string | null;
}

export interface ResultCurve {
  name: string;
  start: number;
  best: number;
  end: number;
}

export class Result {
  readonly chat: Chat;
  readonly exports: Exports;
  readonly evaluation: AdapterEvaluation;
  readonly heatMap: HeatMap;
  readonly headToHead: HeadToHead;

  private constructor(
    readonly runId: string,
    /** In a few words: which adapter this is. */
    readonly title: string,
    readonly modelId: string,
    readonly curves: ResultCurve[],
    readonly files: ResultFiles,
    readonly notKept: string | null,
    recipe: Recipe,
    workers: ResultWorkers,
    votes: RunDetails['votes'] = [],
    /** Of grpo: answers that steps were made with; of a run in the history. */
    readonly sampled: RunDetails['sampled'] = [],
  ) {
    const { evaluation, training } = recipe;
    const { max_new_tokens, do_sample, temperature, top_p } = evaluation;
    const sampling = {
      maxNewTokens: max_new_tokens,
      doSample: do_sample,
      temperature,
      topP: top_p,
      seed: training.seed,
    };
    this.chat = new Chat(runId, sampling, workers);
    this.exports = new Exports(runId, workers);
    this.evaluation = new AdapterEvaluation(runId, recipe, workers);
    this.heatMap = new HeatMap(runId, workers);
    this.headToHead = new HeadToHead(runId, sampling, workers, votes);
  }

  /** Of a run that has just ended. */
  static ofOutcome(outcome: RunOutcome, modelId: string, workers: ResultWorkers): Result {
    const { adapter, metricsJsonl, recipeJson, report, losses } = outcome;
    const kept = Object.entries(losses).map(([name, loss]) => ({ name, ...loss }));
    const files = { adapter: async () => adapter, metricsJsonl, recipeJson, report };
    return new Result(
      outcome.runId,
      t.result.adapterOfStep(outcome.adapterStep),
      modelId,
      kept,
      files,
      outcome.notKept,
      JSON.parse(recipeJson) as Recipe,
      workers,
    );
  }

  /** Of a run in the history. */
  static ofRun(
    run: RunSummary,
    { lines, votes, report, sampled }: RunDetails,
    recipeJson: string,
    workers: ResultWorkers,
  ): Result {
    const curves = Object.entries(run.losses).map(([name, losses]) => ({ name, ...losses }));
    const metricsJsonl = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const files = {
      adapter: () => workers.history.ask((api) => api.adapterFolder(run.id)),
      metricsJsonl,
      recipeJson,
      report,
    };
    const title = t.result.fromHistory(run.name || run.trainFile, run.adapterStep ?? run.step);
    return new Result(run.id, title, run.modelId, curves, files, null, run.recipe, workers, votes, sampled);
  }
}
