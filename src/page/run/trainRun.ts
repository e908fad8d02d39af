/**
 * What runs when Train is pressed: the files' workers are connected to the trainer, which trains to the end.
 */
import { t } from '../language/messages.svelte.ts';
import { plannedEvaluations } from '../../training/recipe/pauses.ts';
import { parseRecipe } from '../../training/recipe.ts';
import { pageTrace, proxy, transfer } from '../../worker/client.ts';
import { WorkerDied, type SupervisedWorker } from '../../worker/supervisedWorker.ts';
import type { FileReport } from '../../worker/dataset/datasetProtocol.ts';
import type { RunSummary } from '../../worker/history/historyProtocol.ts';
import type {
  FileInReport,
  KernelRequest,
  RunOutcome,
  RunPlan,
  RunRequest,
  StartingAdapter,
  TrainerApi,
} from '../../worker/trainer/trainerProtocol.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { DataFile } from '../data/DataFile.svelte.ts';
import type { DataFiles } from '../data/DataFiles.svelte.ts';
import type { Flow } from '../layout/Flow.svelte.ts';
import type { ModelLibrary } from '../model/ModelLibrary.svelte.ts';
import { connectEvaluationWorkers, replaceEvaluationWorker } from './evaluationWorkers.ts';
import { RunView } from './RunView.svelte.ts';

/** What a run is made from. */
export interface RunContext {
  error: string | null;
  recipe: Recipe;
  readonly recipeJson: string;
  readonly library: ModelLibrary;
  readonly data: DataFiles;
  readonly plan: RunPlan | null;
  readonly kernels: KernelRequest;
  readonly flow: Flow;
  /** Several runs one after another. */
  readonly queue: { readonly active: boolean };
  readonly blockers: string[];
  guard(where: string, work: () => Promise<void>): Promise<void>;
  fail(message: string): void;
  reloadData(): Promise<void>;
  recipeChanged(needsData: boolean): Promise<void>;
}

/** A run as it was when Train was pressed: later changes on the page do not reach it. */
export interface RunInputs {
  view: RunView;
  modelId: string;
  train: DataFile;
  validation: DataFile[];
  /** All of the request but the ports of the workers. */
  request: Omit<RunRequest, 'rows' | 'evaluationPorts'>;
}

/** @returns null where a model, rows or a plan is missing */
export function runInputsOf(
  context: RunContext,
  resume: RunSummary | null,
  startFrom: StartingAdapter | null,
  consents = false,
): RunInputs | null {
  const { data, plan, library, kernels, recipeJson } = context;
  const { model } = library;
  const { train, usable, longestValidation } = data;
  if (!model || !train?.report || !plan) return null;
  const recipe = parseRecipe(JSON.parse(recipeJson) as object);
  const names = usable.map(({ name }) => name);
  const { totalSteps: steps } = plan;
  // Without max_steps it is exact; with it room is made as lines come.
  const evaluations = plannedEvaluations(recipe, steps / recipe.training.num_train_epochs, steps);
  return {
    view: new RunView(names, { steps, evaluations }, recipe.evaluation.forgetting_threshold),
    modelId: model.id,
    train,
    validation: usable,
    request: {
      modelId: model.id,
      modelName: model.name,
      recipe,
      trainLengths: train.report.lengths,
      longestValidation,
      kernels,
      padTokenId: train.report.padTokenId,
      training: inReport(train, train.report),
      validation: usable.map((file) => inReport(file, file.report!)),
      resumeRunId: resume?.id ?? null,
      consents,
      startFrom,
    },
  };
}

/** Trains to the end. @throws what ended the run instead */
export async function trainRun(
  { view, train, validation, request }: RunInputs,
  trainer: SupervisedWorker<TrainerApi>,
): Promise<RunOutcome> {
  const pressedAt = new Date().toISOString();
  // What ranked the rows so far is another adapter.
  for (const file of [train, ...validation]) file.ranking.clear();
  // The dataset worker hands its rows to the trainer over a port of their own.
  const rows = new MessageChannel();
  await train.askDataset((api) => api.serve(transfer(rows.port1, [rows.port1])));
  // Each evaluation worker asks the trainer for forward passes, and the trainer asks it for evaluations.
  const { ports: evaluationPorts, failed } = await connectEvaluationWorkers(
    validation,
    request.recipe,
    (file, message, restarted) => {
      if (view.active) void replaceEvaluationWorker(trainer.api, file, request.recipe, message, restarted);
    },
  );
  const whole: RunRequest = { ...request, rows: rows.port2, evaluationPorts };
  const ports = [rows.port2, ...evaluationPorts.flatMap(({ scorer, evaluator }) => [scorer, evaluator])];
  try {
    const ended = trainer.ask((api) =>
      api.run(
        transfer(whole, ports),
        proxy((event) => view.take(event)),
        proxy(() => pageTrace(pressedAt)),
      ),
    );
    for (const [file, message] of failed) void trainer.api.evaluationWorkerDied(file.name, message, false);
    return await ended;
  } catch (error) {
    if (!(error instanceof WorkerDied)) throw error;
    throw new Error(t.run.trainerCrashed(error.reason), { cause: error });
  }
}

function inReport(file: DataFile, { parts, summary, leftOut }: FileReport): FileInReport {
  const leaks = file.overlaps
    .filter(({ overlap }) => overlap.rows > 0)
    .map(({ file: other, overlap }) => ({ file: other, rows: overlap.rows }));
  return {
    file: file.title,
    name: file.name,
    parts: parts.map(({ file: name, sha256 }) => ({ file: name, sha256 })),
    summary,
    leaks,
    leftOut: leftOut.count,
  };
}
