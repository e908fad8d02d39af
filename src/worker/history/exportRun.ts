/** A run's adapter in another form: its files, and where they are written without being whole in memory. */
import { exportForms } from '../../export/exportForms.ts';
import type { ExportFile } from '../../export/exportFile.ts';
import { streamZip } from '../../formats/zip.ts';
import type { AdapterTensors } from '../../engine/engine.ts';
import type { Database, RunRecord } from '../../storage/database.ts';
import { openModel } from '../../storage/storedWeights.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { ExportRequest } from './historyProtocol.ts';
import { peftSettingsOf } from './runFiles.ts';

export interface ExportedRun extends ExportRequest {
  database: Database;
  run: RunRecord;
  adapter: AdapterTensors;
}

/** @throws UserError where the form cannot hold the adapter, or the base model was deleted */
export async function exportFiles({
  database,
  run,
  adapter,
  form,
  ggufType,
}: ExportedRun): Promise<ExportFile[]> {
  const recipe = run.recipe as Recipe;
  const { manifest, weights } = await openModel(database, run.modelId);
  const modules = [
    ...new Set([...adapter.keys()].map((name) => name.replace(/^base_model\.model\.|\.lora_.*$/g, ''))),
  ];
  return exportForms[form]({
    adapter: { settings: peftSettingsOf(recipe, run.modelName), evened: false, tensors: adapter, modules },
    base: weights,
    baseWeights:
      manifest.quantization === 'nf4'
        ? 'the dequantised 4-bit weights with which it was trained'
        : 'the weights with which it was trained',
    texts: manifest.texts,
    name: run.name || run.modelName,
    dtype: 'BF16',
    ggufType,
    system: recipe.system_prompt,
  });
}

export async function writeInto(
  folder: FileSystemDirectoryHandle,
  files: readonly ExportFile[],
): Promise<void> {
  for (const { path, pieces } of files) {
    const writable = await (await folder.getFileHandle(path, { create: true })).createWritable();
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
