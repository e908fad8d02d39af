/**
 * Imports a model's files into the database: they are checked first, then streamed, quantised and stored
 * tensor by tensor.
 */
import { openCheckpoint, type NamedFile, type SourceCheckpoint } from '../formats/checkpoint.ts';
import type { TensorInfo } from '../formats/tensors.ts';
import { ChangedFileError } from '../lib/errors.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { modelOf } from '../model/families/registry.ts';
import type { Database, ModelManifest } from '../storage/database.ts';
import { addTensor, beginModel, completeModel, deleteModel, putDownload } from '../storage/models.ts';
import { checkLayers } from './checks/checkLayers.ts';
import { checkTokenizer } from './checks/checkTokenizer.ts';
import { modelIdOf } from './checks/modelId.ts';
import { byFile, goOnWithDownloads, inFileOrder } from './downloads.ts';
import { withOwnHead } from './ownHead.ts';
import { repairModel } from './repairModel.ts';
import { laneHere, type TensorLane } from './tensorLane.ts';
import { withModelNames } from './tensorNames.ts';
import { planTensors, storedBytes, type Quantization } from './planTensors.ts';
import { report } from '../lib/errorLog.ts';

export interface ImportOptions {
  files: readonly NamedFile[];
  /** The model's name on the page: the folder's, or its id on the Hub. */
  name: string;
  /** Ignored for a checkpoint that is in NF4 already. */
  quantization: Quantization;
  /** Commit of the Hub's repository `name`, where the files come from there. */
  revision?: string;
  /** As the Hub names it; of other files their card says it. */
  licence?: string | null;
  /** Files of the Hub whose listing named no hash. */
  unverified?: string[];
  database: Database;
  /**
   * Each imports one tensor at a time. Two lanes of this thread where absent: one quantises while the other
   * waits for the disk.
   */
  lanes?: readonly TensorLane[];
  /** Rejects where so many bytes do not fit into the browser's storage. */
  checkRoom: (bytes: number) => Promise<void>;
  onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Runs work while nobody else may import or delete the model of this id. */
  locked?: <T>(id: string, work: () => Promise<T>) => Promise<T>;
}

/**
 * Imports a model, or continues an unfinished import of the same files.
 * @throws UserError for anything that is wrong with the files, before the first write; for a damaged weight
 * when its tensor is read
 */
export async function importModel({
  files,
  name,
  quantization: wanted,
  revision,
  licence,
  unverified,
  database,
  lanes = [laneHere(database), laneHere(database)],
  checkRoom,
  onProgress,
  locked = (_id, work) => work(),
}: ImportOptions): Promise<ModelManifest> {
  const opened = await withOwnHead(await openCheckpoint(files));
  const quantization = opened.prequantized ? 'nf4' : wanted;
  checkLayers(opened);
  const model = modelOf(opened.config);
  const source = withModelNames(opened, model.tensors);
  checkTokenizer(source, files, model.config.vocab_size);
  const tensors = planTensors(source, model.tensors, quantization);
  const unused = [...source.tensors.keys()].filter((tensor) => !tensors.has(tensor));
  const fresh = await newManifest(
    source,
    { name, quantization, revision, licence: licence ?? source.licence ?? undefined, unverified },
    unused,
  );
  const manifest = await beginModel(database, fresh);
  return locked(manifest.id, async () => {
    if (manifest.complete) return repairModel(database, manifest, source, lanes[0]);
    try {
      return await importTensors({ database, manifest, source, tensors, lanes, checkRoom, onProgress });
    } catch (error) {
      if (error instanceof ChangedFileError) await deleteModel(database, manifest.id);
      throw error;
    }
  });
}

interface TensorImport extends Pick<ImportOptions, 'database' | 'checkRoom' | 'onProgress'> {
  manifest: ModelManifest;
  source: SourceCheckpoint;
  /** What the model needs, by name. */
  tensors: Map<string, TensorInfo>;
  lanes: readonly TensorLane[];
}

/** Stores what is missing, and marks the model as complete. */
async function importTensors(request: TensorImport): Promise<ModelManifest> {
  const { database, manifest, source, tensors, lanes, checkRoom, onProgress } = request;
  await goOnWithDownloads(database, manifest, source);
  const stored = new Set(manifest.tensors.map((tensor) => tensor.name));
  const missing = inFileOrder(
    [...tensors.values()].filter((info) => !stored.has(info.name)),
    source,
  );
  await checkRoom(storedBytes(missing));
  const sourceBytes = (infos: Iterable<{ name: string }>) =>
    [...infos].reduce(
      (sum, info) => sum + source.tensors.get(info.name)!.end - source.tensors.get(info.name)!.begin,
      0,
    );
  const total = sourceBytes(tensors.values());
  let done = total - sourceBytes(missing);
  const onRead = (bytes: number) => onProgress?.((done += bytes), total);
  const isDownload = source.weightFiles.some(({ download }) => download);
  // A file that is downloaded is read in its order; two of them come at the same time.
  const queues = isDownload ? byFile(missing, source) : missing.map((info) => [info]);
  const used = isDownload ? [lanes[0], lanes[0]] : lanes;
  await inLanes(queues, used, async (lane, info) => {
    const tensor = source.tensors.get(info.name)!;
    addTensor(manifest, await lane(manifest.id, tensor, info, onRead));
    const { download, path } = tensor.file;
    if (download) await putDownload(database, manifest.id, path, download.state());
  });
  for (const { download } of source.weightFiles) await download?.verify();
  await completeModel(database, manifest, [...tensors.keys()]);
  return manifest;
}

/**
 * Runs `work` on all items, one at a time in each lane, those of a queue in their order. After a failure
 * nothing new is started.
 * @throws the first failure, once all lanes are done
 */
async function inLanes<L, T>(
  queues: readonly (readonly T[])[],
  lanes: readonly L[],
  work: (lane: L, item: T) => Promise<void>,
): Promise<void> {
  const open = queues.values();
  const failures: unknown[] = [];
  const follow = async (lane: L) => {
    for (const queue of open)
      for (const item of queue) {
        if (failures.length > 0) return;
        await work(lane, item).catch((error: unknown) => {
          // Only the first failure is thrown.
          if (failures.length > 0) report(error, 'importing a tensor');
          failures.push(error);
        });
      }
  };
  await Promise.all(lanes.map(follow));
  if (failures.length > 0) throw failures[0];
}

async function newManifest(
  source: SourceCheckpoint,
  named: Pick<ModelManifest, 'name' | 'quantization' | 'revision' | 'licence' | 'unverified'>,
  unusedTensors: string[],
): Promise<ModelManifest> {
  const files = await Promise.all(
    source.weightFiles.map(async ({ path, blob, sha256 }) => ({
      path,
      size: blob.size,
      sha256: sha256 ?? (await sampleHash(blob)),
    })),
  );
  const { config, texts } = source;
  return {
    id: await modelIdOf({ files, config, texts, quantization: named.quantization }),
    ...named,
    complete: false,
    importedAt: new Date().toISOString(),
    config,
    texts,
    files,
    tensors: [],
    unusedTensors,
    storedBytes: 0,
  };
}

const SAMPLES = 16;
const SAMPLE_BYTES = 65536;

/** SHA-256 of sixteen samples spread over a file, its beginning and end among them. */
async function sampleHash(blob: Blob): Promise<string> {
  const last = Math.max(0, blob.size - SAMPLE_BYTES);
  const parts = await Promise.all(
    Array.from({ length: SAMPLES }, (_, i) => {
      const from = Math.floor((last * i) / (SAMPLES - 1));
      return blob.slice(from, from + SAMPLE_BYTES).arrayBuffer();
    }),
  );
  return sha256Hex(new Uint8Array(await new Blob(parts).arrayBuffer()));
}
