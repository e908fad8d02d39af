/** What history.worker serves: the runs kept in this browser. */
import type { NamedFile } from '../../formats/checkpoint.ts';
import { zipFolder } from '../../formats/zip.ts';
import { UserError } from '../../lib/errors.ts';
import { modelOf } from '../../model/families/registry.ts';
import { type Database, type RunRecord } from '../../storage/database.ts';
import { openDatabase } from '../../storage/openDatabase.ts';
import { findModel, storedSha256 } from '../../storage/models.ts';
import {
  deleteRun,
  findRun,
  latestCheckpoint,
  latestCheckpointStep,
  listRuns,
  putCheckpoint,
  putPart,
  putRun,
  readPart,
  updateRun,
} from '../../storage/runs.ts';
import { listEvaluations, putEvaluation } from '../../storage/evaluations.ts';
import type { AdapterTensors } from '../../engine/engine.ts';
import type { EvaluationResult } from '../../training/evaluation.ts';
import { linesOf } from '../../training/kept/metricsLog.ts';
import type { MetricsLine } from '../../training/metrics.ts';
import type { Recipe } from '../../training/recipe.ts';
import { notesOf } from '../../export/exportFile.ts';
import { adapterName, readAdapter } from '../../import/readAdapter.ts';
import { loraOf } from '../../import/startingAdapter.ts';
import type { SampledStep } from '../../training/reward/keptAnswers.ts';
import type { Checkpoint } from '../../training/runRecord.ts';
import {
  testKey,
  type AdapterPrompts,
  type BlindTest,
  type ExportRequest,
  type HistoryApi,
  type RunAnnotation,
  type RunDetails,
  type RunSummary,
} from './historyProtocol.ts';
import type { StartingAdapter } from '../trainer/trainerProtocol.ts';
import { resumableStep } from './resumableStep.ts';
import { adapterFolder, runFolder } from './runFiles.ts';
import { liveRuns } from '../runLock.ts';

/** A checkpoint holds the adapter and AdamW's two moments. */
const CHECKPOINT_ADAPTERS = 3;

export class HistoryHost implements HistoryApi {
  constructor(private readonly database: Promise<Database> = openDatabase()) {}

  async runs(): Promise<RunSummary[]> {
    const live = await liveRuns();
    const runs = await listRuns(await this.database);
    const all = await Promise.all(runs.map((run) => this.summary(run, live)));
    return all.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
  }

  async details(runId: string): Promise<RunDetails> {
    const database = await this.database;
    const [lines, votes, report, sampled] = (await Promise.all(
      (['lines', 'votes', 'report', 'sampled'] as const).map((part) => readPart(database, runId, part)),
    )) as [MetricsLine[]?, BlindTest[]?, string?, SampledStep[]?];
    const evaluations = (await listEvaluations(database, runId)).map(({ name, step, result }) => ({
      name,
      step,
      result: result as EvaluationResult,
    }));
    // A run that was cut off has its curves in its checkpoint.
    const saved = lines ? undefined : ((await latestCheckpoint(database, runId)) as Checkpoint | undefined);
    return {
      lines: lines ?? linesOf(saved?.lines ?? []),
      evaluations,
      votes: votes ?? [],
      report: report ?? null,
      sampled: sampled ?? [],
    };
  }

  async annotate(runId: string, { name, ...change }: RunAnnotation): Promise<void> {
    const whole = name === undefined ? change : { ...change, name: name.trim() };
    await updateRun(await this.database, runId, whole);
  }

  async putVotes(runId: string, votes: BlindTest): Promise<void> {
    const database = await this.database;
    const before = ((await readPart(database, runId, 'votes')) ?? []) as BlindTest[];
    const others = before.filter((test) => testKey(test) !== testKey(votes));
    await putPart(database, runId, 'votes', [...others, votes]);
  }

  async remove(runId: string): Promise<void> {
    if ((await liveRuns()).has(runId)) throw new UserError('This run is going on. Stop it first.');
    await deleteRun(await this.database, runId);
  }

  async adapterFolder(runId: string): Promise<Map<string, Uint8Array>> {
    const database = await this.database;
    const run = await this.find(runId);
    const adapter = await this.adapter(run);
    const { lines } = await this.details(runId);
    const { modelName, totalSteps, step, adapterStep } = run;
    // Of a model that was deleted the tokenizer's files are gone, which PEFT does without.
    const texts = (await findModel(database, run.modelId))?.texts ?? {};
    return adapterFolder(
      {
        recipe: run.recipe as Recipe,
        modelName,
        adapter,
        adapterStep: adapterStep ?? step,
        totalSteps,
        lines,
      },
      texts,
    );
  }

  async exportZip(runId: string): Promise<Uint8Array> {
    const summary = await this.summary(await this.find(runId), await liveRuns());
    const adapter = summary.adapterStep === null ? null : await this.adapterFolder(runId);
    return zipFolder(runFolder(summary, await this.details(runId), adapter));
  }

  async exportRunFile(runId: string): Promise<Uint8Array> {
    const { writeRunFile } = await import('../../export/runFile.ts');
    const database = await this.database;
    const [run, live] = [await this.find(runId), await liveRuns()];
    if (live.has(runId)) throw new UserError('This run is going on. Stop it first, then export it.');
    const checkpoint = (await latestCheckpoint(database, runId)) as Checkpoint | undefined;
    if (!checkpoint) throw new UserError('This run has no checkpoint to go on from.');
    const manifest = await findModel(database, run.modelId);
    const weightsSha256 = manifest?.complete ? await storedSha256(manifest) : run.weightsSha256;
    return writeRunFile({
      run: { ...run, weightsSha256, adapterPieces: undefined, partHashes: undefined },
      checkpoint,
      // What came after the checkpoint is computed again.
      evaluations: (await listEvaluations(database, runId)).filter(({ step }) => step <= checkpoint.step),
    });
  }

  async importRunFile(file: Blob): Promise<string> {
    const { readRunFile } = await import('../../export/runFile.ts');
    const database = await this.database;
    const { run, checkpoint, evaluations } = await readRunFile(file);
    if (await findRun(database, run.id))
      throw new UserError(
        'This run is kept here already: resume it, or delete it first and take the file again.',
      );
    // The record comes first: a checkpoint without one would be found by nobody.
    const { step } = checkpoint;
    await putRun(database, { ...run, state: 'stopped', message: null, adapterStep: null, step });
    for (const evaluation of evaluations) await putEvaluation(database, evaluation);
    await putCheckpoint(database, run.id, step, checkpoint);
    return run.id;
  }

  async exportInto(request: ExportRequest, folder: FileSystemDirectoryHandle): Promise<string[]> {
    const { exportFiles, writeInto } = await import('./exportRun.ts');
    const files = await exportFiles(await this.exported(request), request);
    await writeInto(folder, files);
    return notesOf(files);
  }

  async exportAsFile(request: ExportRequest): Promise<{ file: File; notes: string[] }> {
    const { exportFiles, writeZip } = await import('./exportRun.ts');
    const files = await exportFiles(await this.exported(request), request);
    return { file: await writeZip(`${request.form}.zip`, files), notes: notesOf(files) };
  }

  private async exported({ runId }: ExportRequest) {
    const run = await this.find(runId);
    return { database: await this.database, run, adapter: await this.adapter(run) };
  }

  async keepAdapter(files: NamedFile[], modelId: string, prompts: AdapterPrompts): Promise<string> {
    const { keepAdapter } = await import('./keptAdapter.ts');
    return keepAdapter(await this.database, files, modelId, prompts);
  }

  async startFromRun(runId: string, modelId: string): Promise<StartingAdapter> {
    const run = await this.find(runId);
    const name = run.name || `${run.modelName}, ${run.trainFile}`;
    return this.fitted(
      name,
      modelId,
      [...(await this.adapterFolder(runId))].map(([path, bytes]) => ({
        path,
        blob: new Blob([bytes as Uint8Array<ArrayBuffer>]),
      })),
    );
  }

  async startFromFiles(files: NamedFile[], modelId: string): Promise<StartingAdapter> {
    return this.fitted(adapterName(files), modelId, files);
  }

  private async fitted(name: string, modelId: string, files: readonly NamedFile[]): Promise<StartingAdapter> {
    const manifest = await findModel(await this.database, modelId);
    if (!manifest) throw new UserError('Choose a model first: the adapter is checked against it.');
    const read = await readAdapter(files, manifest.config);
    return {
      name,
      modelId,
      lora: loraOf(read, modelOf(manifest.config), manifest.name),
      tensors: read.tensors,
    };
  }

  private async find(runId: string): Promise<RunRecord> {
    const run = await findRun(await this.database, runId);
    if (!run) throw new UserError('This run is not kept in this browser any more.');
    return run;
  }

  private async adapter({ id }: RunRecord): Promise<AdapterTensors> {
    const database = await this.database;
    const kept = (await readPart(database, id, 'adapter')) as AdapterTensors | undefined;
    // A run that was cut off has its adapter in its checkpoint.
    const adapter = kept ?? ((await latestCheckpoint(database, id)) as Checkpoint | undefined)?.adapter;
    if (!adapter) throw new UserError('This run ended before it had an adapter.');
    return adapter;
  }

  private async summary(run: RunRecord, live: ReadonlySet<string>): Promise<RunSummary> {
    const database = await this.database;
    const checkpoint = await latestCheckpointStep(database, run.id);
    const steps = run.keptSteps?.length ?? 0;
    return {
      ...run,
      modelId: await modelHere(database, run),
      recipe: run.recipe as Recipe,
      live: live.has(run.id),
      resumableStep: await resumableStep(database, run, live),
      storedBytes: run.adapterBytes * (1 + steps + (checkpoint === null ? 0 : CHECKPOINT_ADAPTERS)),
    };
  }
}

/** Id of the run's model; where another of equal weights is stored in its place, of that one. */
async function modelHere(database: Database, { modelId, weightsSha256 }: RunRecord): Promise<string> {
  if (weightsSha256 === undefined || (await database.getKey('models', modelId)) !== undefined) return modelId;
  for (const manifest of await database.getAll('models'))
    if (manifest.complete && (await storedSha256(manifest)) === weightsSha256) return manifest.id;
  return modelId;
}
