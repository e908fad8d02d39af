/** A run's adapter in another form: its files, and where they are written without being whole in memory. */
import { exportForms } from '../../export/exportForms.ts';
import type { ExportFile } from '../../export/exportFile.ts';
import { streamZip } from '../../formats/zip.ts';
import type { AdapterTensors } from '../../engine/engine.ts';
import type { ClusterParts } from '../../export/cluster/clusterFiles.ts';
import type { PlayerParts } from '../../export/player/playerFiles.ts';
import { readPeftFolder, writePeftFolder } from '../../formats/peft.ts';
import type { WeightSource } from '../../formats/tensors.ts';
import { UserError } from '../../lib/errors.ts';
import type { Database, RunRecord } from '../../storage/database.ts';
import { openModel } from '../../storage/storedWeights.ts';
import { latestCheckpoint, readPart } from '../../storage/runs.ts';
import type { Checkpoint, RunState } from '../../training/runRecord.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { ExportedRows, ExportRequest } from './historyProtocol.ts';
import { peftSettingsOf } from './runFiles.ts';

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
  database: Database,
  { id, recipe, trainFile, trainHashes, step, adapterStep, totalSteps }: RunRecord,
  rows: ExportedRows | undefined,
): Promise<ClusterParts> {
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
      ? { step: state.step, adapter: state.adapter, optimizer: state.optimizer }
      : { step: adapterStep ?? step, adapter: null, optimizer: null },
    totalSteps,
    data: rows.files,
  };
}

/** @throws UserError where the form cannot hold the adapter, or the base model was deleted */
export async function exportFiles(
  { database, run, adapter }: ExportedRun,
  request: ExportRequest,
): Promise<ExportFile[]> {
  const { form, ggufType } = request;
  const recipe = run.recipe as Recipe;
  const { manifest, weights } = await openModel(database, run.modelId);
  // Read back as others read it: modules of ranks of their own come to one rank.
  const folder = writePeftFolder(adapter, peftSettingsOf(recipe, run.modelName));
  const read = await readPeftFolder(
    new Map([...folder].map(([name, bytes]) => [name, new Blob([bytes as Uint8Array<ArrayBuffer>])])),
  );
  return exportForms[form]({
    adapter: read,
    base: weights,
    baseWeights: form === 'player' ? HELD_AS[manifest.quantization] : weightsOf(manifest.quantization),
    texts: manifest.texts,
    name: run.name || run.modelName,
    dtype: 'BF16',
    ggufType,
    system: recipe.system_prompt,
    ...(request.playerModules && { player: playerParts(recipe, weights, request.playerModules) }),
    ...(form === 'cluster' && { cluster: await clusterParts(database, run, request.rows) }),
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

/** What every browser has in workers only, so that it is not in the page's types. */
interface SyncAccessHandle {
  truncate(size: number): void;
  write(bytes: Uint8Array, options: { at: number }): number;
  close(): void;
}

const FOLDER = 'exports';

/**
 * As a zip in the origin's private file system, where it replaces what earlier exports left; in memory where
 * the browser keeps no data for the page.
 */
export async function writeZip(name: string, files: readonly ExportFile[]): Promise<File> {
  const root = await privateFiles();
  if (!root) {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    await streamZip(files, (bytes) => void pieces.push(bytes.slice()));
    return new File(pieces, name);
  }
  await root.removeEntry(FOLDER, { recursive: true }).catch((error: unknown) => {
    if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw error;
  });
  const folder = await root.getDirectoryHandle(FOLDER, { create: true });
  const file = await folder.getFileHandle(name, { create: true });
  const handle = await (
    file as unknown as { createSyncAccessHandle(): Promise<SyncAccessHandle> }
  ).createSyncAccessHandle();
  let at = 0;
  try {
    await streamZip(files, (bytes) => {
      at += handle.write(bytes, { at });
    });
  } finally {
    handle.close();
  }
  return file.getFile();
}

/** null where site data is blocked. */
async function privateFiles(): Promise<FileSystemDirectoryHandle | null> {
  try {
    return await navigator.storage.getDirectory();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'SecurityError') return null;
    throw error;
  }
}
