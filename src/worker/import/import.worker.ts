import { openGpu } from '../../gpu/gpuContext.ts';
import { UserError } from '../../lib/errors.ts';
import { modelOf } from '../../model/families/registry.ts';
import { openDatabase, type ModelManifest } from '../../storage/database.ts';
import { deleteModel, findModel, listModels } from '../../storage/models.ts';
import { checkRoom, storageUse } from '../../storage/quota.ts';
import { withQuantizer } from '../../import/gpuQuantizer.ts';
import { importModel, laneHere, type TensorLane } from '../../import/importModel.ts';
import { serveWorker } from '../serveWorker.ts';
import type { ImportApi, ModelDetails } from './importProtocol.ts';
import { withTensorThread } from './tensorWorker.ts';

const database = openDatabase();

function detailsOf(manifest: ModelManifest): ModelDetails {
  const { config } = modelOf(manifest.config);
  const { id, name, quantization, complete, storedBytes, importedAt, unusedTensors } = manifest;
  return {
    id,
    name,
    quantization,
    complete,
    storedBytes,
    importedAt,
    modelType: config.model_type,
    parameters: manifest.tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    layers: config.num_hidden_layers,
    hiddenSize: config.hidden_size,
    vocabularySize: config.vocab_size,
    maxPositions: config.max_position_embeddings,
    unusedTensors,
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
      importModel({ files, name, quantization, database: store, lanes, checkRoom, onProgress });
    return detailsOf(
      await withQuantizer(openGpu, (quantize) =>
        quantize ? bring(twoOf(laneHere(store, quantize))) : withTensorThread(laneHere(store), bring),
      ),
    );
  },
  async importFromHub(id, quantization, access, onProgress) {
    const { openHubModel, fromHub } = await import('../../storage/hub.ts');
    const { files, revision } = await openHubModel(id, access);
    const store = await database;
    const bring = () =>
      withQuantizer(openGpu, (quantize) =>
        importModel({
          files,
          name: id,
          quantization,
          revision,
          database: store,
          lanes: twoOf(laneHere(store, quantize)),
          checkRoom,
          onProgress,
        }),
      );
    return detailsOf(await fromHub(id, bring));
  },
  remove: async (id) => deleteModel(await database, id),
  storage: storageUse,
};

serveWorker(api);
