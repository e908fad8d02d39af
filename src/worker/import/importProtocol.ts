/** What import.worker serves to the page: reading, checking, quantising and storing models. */
import type { NamedFile } from '../../formats/checkpoint.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { HubAccess } from '../../storage/hub.ts';
import type { ModelSummary } from '../../storage/models.ts';
import type { StorageUse } from '../../storage/quota.ts';

export type { HubAccess, ModelSummary, StorageUse };

/** What the page shows of a stored model. */
export interface ModelDetails extends ModelSummary {
  parameters: number;
  layers: number;
  hiddenSize: number;
  vocabularySize: number;
  maxPositions: number;
  unusedTensors: string[];
}

/** import.worker: streams, checks and quantises. Owns the list of stored models. */
export interface ImportApi {
  models(): Promise<ModelSummary[]>;
  details(id: string): Promise<ModelDetails>;
  importModel(
    files: NamedFile[],
    name: string,
    quantization: Recipe['quantization'],
    onProgress: (done: number, total: number) => void,
  ): Promise<ModelDetails>;
  /** Downloads a model from the Hub by ranges straight into the store. @param id "owner/name" */
  importFromHub(
    id: string,
    quantization: Recipe['quantization'],
    access: HubAccess,
    onProgress: (done: number, total: number) => void,
  ): Promise<ModelDetails>;
  remove(id: string): Promise<void>;
  storage(): Promise<StorageUse>;
}
