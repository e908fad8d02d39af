/** What import.worker serves to the page: reading, checking, quantising and storing models. */
import type { NamedFile } from '../../formats/checkpoint.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { HubAccess } from '../../storage/hub/hub.ts';
import type { KeptFile } from '../../storage/database.ts';
import type { ModelSummary } from '../../storage/models.ts';
import type { StorageUse } from '../../storage/quota.ts';
import type { BundleExtras } from '../../export/bundle/bundleContents.ts';
import type { BroughtBundle, BundlePlace } from './bundles.ts';

export type { BroughtBundle, BundleExtras, BundlePlace, HubAccess, KeptFile, ModelSummary, StorageUse };

/** What the page shows of a stored model. */
export interface ModelDetails extends ModelSummary {
  parameters: number;
  layers: number;
  hiddenSize: number;
  vocabularySize: number;
  maxPositions: number;
  unusedTensors: string[];
  /** Keys of config.json by which transformers drops values while training, which Finetab does not. */
  unusedDropout: string[];
  /** Files of the Hub whose listing named no hash. */
  unverified: string[];
}

/** What the Hub says of a model, before anything of it is downloaded. */
export interface HubFacts {
  /** "owner/name" */
  id: string;
  /** Commit. */
  revision: string;
  licence: string | null;
  /** Bytes of the files that an import reads. */
  bytes: number;
  /**
   * Whether the model is one that can be imported, what it takes of the disk and of the GPU, in a sentence.
   */
  verdict: string;
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
  /**
   * @param address "owner/name", "owner/name@revision" or the address of the model's page
   * @param gpuBytes GPU memory that the recipe allows; null: as much as it takes
   */
  hubFacts(
    address: string,
    quantization: Recipe['quantization'],
    gpuBytes: number | null,
    access: HubAccess,
  ): Promise<HubFacts>;
  /** Downloads a model from the Hub by ranges straight into the store. @param address as above */
  importFromHub(
    address: string,
    quantization: Recipe['quantization'],
    access: HubAccess,
    onProgress: (done: number, total: number) => void,
  ): Promise<ModelDetails>;
  /**
   * Stores the model of a `.finetab` bundle and hands out the rest of it.
   * @throws UserError where a part is missing or damaged
   */
  importBundle(
    place: BundlePlace,
    onProgress: (done: number, total: number) => void,
  ): Promise<{ details: ModelDetails; rest: BroughtBundle }>;
  /** A stored model with recipe, data and lesson as one file. @param name of the file */
  saveBundle(id: string, extras: BundleExtras, name: string): Promise<File>;
  /**
   * Reads what is stored of a model again and compares it with its checksums.
   * @returns names of the tensors that are damaged
   */
  verify(id: string, onProgress: (done: number, total: number) => void): Promise<string[]>;
  remove(id: string): Promise<void>;
  storage(): Promise<StorageUse>;
  /** Keeps a data file of the work at hand. @throws UserError where the disk is full */
  keepFile(id: string, file: KeptFile): Promise<void>;
  /** By id. */
  keptFiles(): Promise<Map<string, KeptFile>>;
  forgetFiles(ids: readonly string[]): Promise<void>;
}
