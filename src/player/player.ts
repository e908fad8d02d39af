/**
 * finetab-player: chats with a model and its adapters in any page.
 *
 *     import { load } from './finetab-player.js';
 *     const model = await load('folder/');
 *     for await (const text of model.chat([{ role: 'user', content: 'Ahoy?' }])) write(text);
 */
import type { ChatMessage } from '../data/template/chatTemplate.ts';
import { ChatTokenizer, filesOfModel } from '../data/tokenizer/chatTokenizer.ts';
import { DeviceOwner } from '../engine/deviceOwner.ts';
import type { EngineProgress } from '../engine/engine.ts';
import { openCheckpoint } from '../formats/checkpoint.ts';
import type { ReadAdapter } from '../formats/peft.ts';
import type { PlayerManifest } from '../export/player/playerFolder.ts';
import type { WeightSource } from '../formats/tensors.ts';
import { openGpu } from '../gpu/gpuContext.ts';
import { readAdapter } from '../import/readAdapter.ts';
import { withOwnHead } from '../import/ownHead.ts';
import { memoryWeightSource, streamingWeightSource } from '../import/weightSources.ts';
import { UserError } from '../lib/errors.ts';
import { modelOf } from '../model/families/registry.ts';
import { adapterSet } from './adapterSet.ts';
import { adapterFiles, fetchFiles, manifestOf, readManifest } from './downloads.ts';
import { PlayedModel } from './playedModel.ts';

export { UserError };
export type { Answer, ChatOptions } from './chatApi.ts';
export type { PlayedModel } from './playedModel.ts';
export type { ChatMessage };

export type LoadProgress = { phase: 'download'; done: number; total: number; unit: 'bytes' } | EngineProgress;

export interface LoadOptions {
  /** Further adapters, by name: addresses of PEFT folders or of GGUF LoRA adapters. */
  adapters?: Readonly<Record<string, string>>;
  onProgress?: (progress: LoadProgress) => void;
  /** 'tensorflow': the fallback, even where there is WebGPU. */
  device?: 'auto' | 'tensorflow';
}

/** A base model that lies anywhere, without a player.json. */
export interface BaseModel {
  /** Address of a .gguf, or of a folder with config.json, tokenizer.json and safetensors. */
  base: string;
}

/**
 * @param source address of an exported folder, or of a base model; relative to the page
 * @throws UserError where something is missing on the host, or an adapter does not fit
 */
export async function load(source: string | BaseModel, options: LoadOptions = {}): Promise<PlayedModel> {
  const { adapters = {}, onProgress, device = 'auto' } = options;
  const absolute = (address: string) => new URL(address, globalThis.location?.href).href;
  const more = Object.entries(adapters).map(([name, address]) => [name, absolute(address)] as const);
  const folder = typeof source === 'string' ? absolute(source.replace(/\/?$/, '/')) : absolute('.');
  const manifest =
    typeof source === 'string' ? await readManifest(folder) : await manifestOf(absolute(source.base), {});
  const opened = await openCheckpoint(
    await fetchFiles(manifest.base, folder, (done, total) =>
      onProgress?.({ phase: 'download', done, total, unit: 'bytes' }),
    ),
  );
  const checkpoint = await withOwnHead(opened);
  const { tensors, config: sizes } = modelOf(checkpoint.config);
  const { quantization } = manifest;
  const weights: WeightSource = {
    ...streamingWeightSource(checkpoint, tensors, quantization),
    readRows: memoryWeightSource(checkpoint, tensors, quantization).readRows,
  };
  const played: PlayerManifest['adapters'] = {
    ...manifest.adapters,
    ...Object.fromEntries(more.map(([name, address]) => [name, adapterFiles(address)])),
  };
  const read = new Map<string, ReadAdapter>();
  for (const [name, files] of Object.entries(played))
    read.set(name, await readAdapter(await fetchFiles(files, folder), checkpoint.config));
  const model = new PlayedModel(
    {
      weights,
      tokenizer: new ChatTokenizer(filesOfModel({ config: checkpoint.config, texts: checkpoint.texts })),
      adapters: await adapterSet(read, weights, 'this model'),
      manifest,
      maxPositions: sizes.max_position_embeddings,
      vocabularySize: sizes.vocab_size,
    },
    new DeviceOwner(device === 'tensorflow' ? () => Promise.resolve(null) : () => openGpu()),
    onProgress,
  );
  await model.prepare();
  return model;
}
