import { openGpu } from '../../gpu/gpuContext.ts';
import { UserError } from '../../lib/errors.ts';
import { dropoutKeys, modelOf } from '../../model/families/registry.ts';
import { type ModelManifest } from '../../storage/database.ts';
import { openDatabase } from '../../storage/openDatabase.ts';
import { deleteModel, findModel, listModels } from '../../storage/models.ts';
import { putKeptFile, readKeptFiles, removeKeptFiles } from '../../storage/keptFiles.ts';
import { checkRoom, storageUse } from '../../storage/quota.ts';
import { damagedTensors } from '../../storage/storedWeights.ts';
import { bytesToStore, downloadVerdict } from '../../import/beforeDownload.ts';
import { withQuantizer } from '../../import/quantizerChoice.ts';
import { importModel } from '../../import/importModel.ts';
import { laneHere, type TensorLane } from '../../import/tensorLane.ts';
import { holdingModel } from '../runLock.ts';
import { serveWorker } from '../serveWorker.ts';
import type { ImportApi, ModelDetails } from './importProtocol.ts';
import { withTensorThread } from './tensorWorker.ts';

const database = openDatabase();

function detailsOf(manifest: ModelManifest): ModelDetails {
  const { config } = modelOf(manifest.config);
  const {
    id,
    name,
    quantization,
    complete,
    storedBytes,
    importedAt,
    licence,
    unusedTensors,
    unverified = [],
  } = manifest;
  return {
    id,
    name,
    quantization,
    complete,
    storedBytes,
    importedAt,
    licence: licence ?? null,
    modelType: config.model_type,
    parameters: manifest.tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    layers: config.num_hidden_layers,
    hiddenSize: config.hidden_size,
    vocabularySize: config.vocab_size,
    maxPositions: config.max_position_embeddings,
    unusedTensors,
    unusedDropout: dropoutKeys(manifest.config),
    unverified,
  };
}

/** While one waits for the disk or the network the other is quantised. */
const twoOf = (lane: TensorLane): TensorLane[] => [lane, lane];

const api: ImportApi = {
  models: async () => listModels(await database),
  async details(id) {
    const manifest = await findModel(await database, id);
    if (!manifest)
      throw new UserError('This model is not stored in this browser any more. Drop its files again.');
    return detailsOf(manifest);
  },
  async importModel(files, name, quantization, onProgress) {
    const store = await database;
    const bring = (lanes: readonly TensorLane[]) =>
      importModel({
        files,
        name,
        quantization,
        database: store,
        lanes,
        checkRoom,
        onProgress,
        locked: holdingModel,
      });
    return detailsOf(
      await withQuantizer(openGpu, (quantize) =>
        quantize ? bring(twoOf(laneHere(store, quantize))) : withTensorThread(laneHere(store), bring),
      ),
    );
  },
  async hubFacts(address, quantization, gpuBytes, access) {
    const { openHubModel, fromHub } = await import('../../storage/hub/hub.ts');
    const { id, revision, licence, bytes, files } = await openHubModel(address, access);
    const { usedBytes, quotaBytes } = await storageUse();
    const stored = await fromHub(id, () => bytesToStore(files, quantization));
    const free = quotaBytes > 0 ? quotaBytes - usedBytes : null;
    return { id, revision, licence, bytes, verdict: downloadVerdict(stored, free, gpuBytes) };
  },
  async importFromHub(address, quantization, access, onProgress) {
    const { openHubModel, fromHub } = await import('../../storage/hub/hub.ts');
    const { id, files, revision, licence, unverified } = await openHubModel(address, access);
    const store = await database;
    const bring = () =>
      withQuantizer(openGpu, (quantize) =>
        importModel({
          files,
          name: id,
          quantization,
          revision,
          licence,
          unverified: unverified.length > 0 ? unverified : undefined,
          database: store,
          lanes: twoOf(laneHere(store, quantize)),
          checkRoom,
          onProgress,
          locked: holdingModel,
        }),
      );
    return detailsOf(await fromHub(id, bring));
  },
  async importBundle(place, onProgress) {
    const { bringBundle } = await import('./bundles.ts');
    const { model, rest } = await bringBundle(place, await database, onProgress);
    return { details: detailsOf(model), rest };
  },
  async saveBundle(id, extras, name) {
    const { saveBundle } = await import('./bundles.ts');
    return saveBundle(await database, id, extras, name);
  },
  verify: async (id, onProgress) => damagedTensors(await database, id, onProgress),
  remove: (id) => holdingModel(id, async () => deleteModel(await database, id)),
  storage: storageUse,
  keepFile: async (id, file) => putKeptFile(await database, id, file),
  keptFiles: async () => readKeptFiles(await database),
  forgetFiles: async (ids) => removeKeptFiles(await database, ids),
};

serveWorker(api);
