/** What a finished run is handed out as: the PEFT folder, the metrics, the recipe and the report. */
import { version } from '../../../package.json';
import { mergeEntries, recordedErrors, report } from '../../lib/errorLog.ts';
import { sha256Hex } from '../../lib/sha256.ts';
import type { ModelManifest } from '../../storage/database.ts';
import { storedSha256 } from '../../storage/models.ts';
import type { Engine } from '../../engine/engine.ts';
import { isHeadInQ8_0 } from '../../engine/headDtype.ts';
import type { KernelChoice } from '../../tuning/kernelChoice.ts';
import { metricsToJsonl } from '../../training/metrics.ts';
import { recipeToJson } from '../../training/recipe.ts';
import type { RunResult } from '../../training/runRecord.ts';
import { writeReport } from '../../export/report.ts';
import { adapterFolder } from '../history/runFiles.ts';
import type { PageTrace } from '../pageTrace.ts';
import { lossesOf, type RunStore } from './runStore.ts';
import type { RunOutcome, RunRequest } from './trainerProtocol.ts';
import { messageOf } from '../../lib/errors.ts';

export interface FinishedRun {
  runId: string;
  /** ISO 8601; of this session, where the run was resumed. */
  beganAt: string;
  request: RunRequest;
  result: RunResult;
  manifest: ModelManifest;
  engine: Engine;
  kernels: KernelChoice | undefined;
  /** Why the evaluation of a validation file failed, by its name. */
  failures: ReadonlyMap<string, string>;
  /** Why the worker of a validation file was started again, by its name. */
  restarts: ReadonlyMap<string, string>;
  trace: PageTrace;
}

/** Writes the report, keeps the run in this browser, and hands everything out. */
export async function outcomeOf(run: FinishedRun, store: RunStore): Promise<RunOutcome> {
  const { recipe, modelName } = run.request;
  const { reason, message, steps, totalSteps, adapterStep, seconds, lines, adapter } = run.result;
  const folder = adapterFolder(
    { recipe, modelName, adapter, adapterStep, totalSteps, lines },
    run.manifest.texts,
  );
  const text = await reportOf(run, folder.get('adapter_model.safetensors')!, store);
  return {
    runId: run.runId,
    notKept: await keep(run.result, text, store),
    reason,
    message,
    steps,
    totalSteps,
    adapterStep,
    seconds,
    losses: lossesOf(lines),
    adapter: folder,
    metricsJsonl: metricsToJsonl(lines),
    recipeJson: recipeToJson(recipe),
    report: text,
  };
}

/** @returns why the run could not be kept; null where it was */
async function keep(result: RunResult, reportText: string, store: RunStore): Promise<string | null> {
  try {
    await store.end(result, reportText);
    return null;
  } catch (error) {
    report(error, 'storing the finished run');
    return messageOf(error);
  }
}

async function reportOf(run: FinishedRun, adapter: Uint8Array, store: RunStore): Promise<string> {
  const { request, engine, kernels, manifest, trace, result } = run;
  const { recipe, modelName, training, validation } = request;
  return writeReport({
    recipe,
    modelName,
    model: { storedSha256: await storedSha256(manifest), files: manifest.files },
    adapter: { sha256: await sha256Hex(adapter), bytes: adapter.byteLength },
    versions: { finetab: version, browser: navigator.userAgent },
    evaluations: await store.evaluations(),
    sampled: await store.sampledAnswers(),
    requests: trace.requests,
    errors: mergeEntries(
      trace.errors,
      recordedErrors().filter(({ at }) => at >= run.beganAt),
    ),
    device: engine.device,
    kernels,
    memory: engine.memory,
    headInQ8_0: isHeadInQ8_0(engine, recipe.training),
    training,
    validation: validation.map((file) => ({
      ...file,
      failure: run.failures.get(file.name) ?? null,
      restarted: run.restarts.get(file.name) ?? null,
    })),
    result,
  });
}
