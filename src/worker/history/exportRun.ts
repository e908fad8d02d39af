/** A run's adapter in another form: its files, and where they are written without being whole in memory. */
import { exportForms } from '../../export/exportForms.ts';
import type { ExportFile } from '../../export/exportFile.ts';
import { streamZip } from '../../formats/zip.ts';
import type { AdapterTensors } from '../../engine/engine.ts';
import type { ClusterParts } from '../../export/cluster/clusterFiles.ts';
import type { PlayerParts } from '../../export/player/playerFiles.ts';
import { evenedAdapter, type ReadAdapter } from '../../formats/peft.ts';
import { baseModelName } from '../../lib/modelNames.ts';
import type { WeightSource } from '../../formats/tensors.ts';
import { UserError } from '../../lib/errors.ts';
import type { Database, RunRecord } from '../../storage/database.ts';
import { openModel } from '../../storage/storedWeights.ts';
import { latestCheckpoint, readPart } from '../../storage/runs.ts';
import type { Checkpoint, RunState } from '../../training/runRecord.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { ExportedRows, ExportRequest } from './historyProtocol.ts';
import { writePrivateFile } from '../privateFile.ts';

export interface ExportedRun {
  database: Database;
  run: RunRecord;
  adapter: AdapterTensors;
}

const HELD_AS = { nf4: 'NF4', none: 'the weights of its files', gguf: "the GGUF's own blocks" };

function weightsOf(quantization: Recipe['quantization']): string {
  return quantization === 'nf4'
    ? 'the dequantised 4-bit weights with which it was trained'
    : 'the weights with which it was trained';
}

function playerParts(
  { evaluation, training, date_string }: Recipe,
  base: WeightSource,
  modules: Record<string, string>,
): PlayerParts {
  return { modules, base, sampling: { ...evaluation, seed: training.seed }, dateString: date_string };
}

/** @throws UserError where the rows of the run are not those that the page has */
async function clusterParts(
  { database, adapter, run }: ExportedRun,
  rows: ExportedRows | undefined,
): Promise<ClusterParts> {
  const { id, recipe, trainFile, trainHashes, step, adapterStep, totalSteps } = run;
  if (!rows || (trainHashes && trainHashes.join() !== rows.trainHashes.join()))
    throw new UserError(
      `The folder holds the rows of the run, which this browser does not keep. Drop ${trainFile} and the validation files again, with the run's model chosen, and export once more.`,
    );
  const state =
    ((await latestCheckpoint(database, id)) as Checkpoint | undefined) ??
    ((await readPart(database, id, 'state')) as RunState | undefined);
  return {
    recipe: recipe as Recipe,
    state: state
      ? { step: state.step, adapter: state.adapter ?? adapter, optimizer: state.optimizer }
      : { step: adapterStep ?? step, adapter, optimizer: null },
    totalSteps,
    data: rows.files,
  };
}

/** As others read it: modules of ranks of their own come to one rank. */
function adapterOf({ run, adapter }: ExportedRun): ReadAdapter {
  const { lora, model } = run.recipe as Recipe;
  const { r, lora_alpha, lora_dropout, use_rslora, use_dora } = lora;
  return evenedAdapter(new Map(adapter), {
    ...{ r, lora_alpha, lora_dropout, use_rslora, use_dora },
    rank_pattern: Object.entries(lora.rank_pattern),
    alpha_pattern: Object.entries(lora.alpha_pattern),
    base_model_name_or_path: baseModelName(model, run.modelName),
  });
}

/** @throws UserError where the form cannot hold the adapter, or the base model was deleted */
export async function exportFiles(exported: ExportedRun, request: ExportRequest): Promise<ExportFile[]> {
  const { database, run } = exported;
  const { form, ggufType } = request;
  const recipe = run.recipe as Recipe;
  const { manifest, weights } = await openModel(database, run.modelId);
  return exportForms[form]({
    adapter: adapterOf(exported),
    base: weights,
    baseWeights: form === 'player' ? HELD_AS[manifest.quantization] : weightsOf(manifest.quantization),
    texts: manifest.texts,
    name: run.name || run.modelName,
    dtype: 'BF16',
    ggufType,
    system: recipe.system_prompt,
    ...(request.playerModules && { player: playerParts(recipe, weights, request.playerModules) }),
    ...(form === 'cluster' && { cluster: await clusterParts(exported, request.rows) }),
  });
}

export async function writeInto(
  folder: FileSystemDirectoryHandle,
  files: readonly ExportFile[],
): Promise<void> {
  for (const { path, pieces } of files) {
    const [name, ...folders] = path.split('/').toReversed();
    let inside = folder;
    for (const part of folders.toReversed()) inside = await inside.getDirectoryHandle(part, { create: true });
    const writable = await (await inside.getFileHandle(name, { create: true })).createWritable();
    try {
      for await (const piece of pieces()) await writable.write(piece as Uint8Array<ArrayBuffer>);
    } catch (error) {
      await writable.abort();
      throw error;
    }
    await writable.close();
  }
}

/** As a zip that lies in the browser's private files until the next export. */
export function writeZip(name: string, files: readonly ExportFile[]): Promise<File> {
  return writePrivateFile('exports', name, (write) => streamZip(files, write));
}
