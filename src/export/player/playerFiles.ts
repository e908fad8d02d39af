/** A folder that finetab-player plays from any static host: model, adapter, player, page. */
import { PLAYER_MANIFEST, type PlayerManifest, type PlayerSampling } from './playerFolder.ts';
import { writePeftFolder, type ReadAdapter } from '../../formats/peft.ts';
import type { WeightSource } from '../../formats/tensors.ts';
import { wholeFile, type ExportFile } from '../exportFile.ts';
import { CHAT_SCRIPT, playerPage, playerReadme } from './playerPage.ts';
import { storedModelFiles } from './storedModel.ts';

/** What this form needs beside the adapter. */
export interface PlayerParts {
  /** Texts of the player's modules by file name. */
  modules: Readonly<Record<string, string>>;
  /** The base as it is to be held: the run's own weights, or a GGUF file as it is. */
  base: WeightSource | { gguf: readonly { name: string; blob: Blob }[] };
  sampling: PlayerSampling;
  dateString: string | null;
}

export interface PlayerInput {
  player: PlayerParts;
  adapter: ReadAdapter;
  texts: Readonly<Record<string, string>>;
  name: string;
  system: string | null;
  baseWeights: string;
}

export function playerFiles({
  player,
  adapter,
  texts,
  name,
  system,
  baseWeights,
}: PlayerInput): ExportFile[] {
  const { base, modules, sampling, dateString } = player;
  const isGguf = 'gguf' in base;
  const model = isGguf
    ? base.gguf.map(({ name: file, blob }) => blobFile(file, blob))
    : storedModelFiles(base, texts);
  const inBase = model.map((file) => ({ ...file, path: `base/${file.path}` }));
  const inAdapter = [...writePeftFolder(adapter.tensors, adapter.settings)].map(([file, bytes]) =>
    wholeFile(`adapter/${file}`, bytes),
  );
  const listed = (files: readonly ExportFile[]) => files.map(({ path, bytes }) => ({ path, bytes }));
  const manifest: PlayerManifest = {
    base: listed(inBase),
    // Of weights that are NF4 in the files the codes are kept, of others the values.
    quantization: isGguf ? 'gguf' : 'none',
    adapters: { [name]: listed(inAdapter) },
    system,
    date_string: dateString,
    sampling,
  };
  return [
    wholeFile('index.html', playerPage(name)),
    wholeFile('chat.js', CHAT_SCRIPT),
    wholeFile('README.md', playerReadme(name, baseWeights)),
    wholeFile(PLAYER_MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`),
    ...Object.entries(modules).map(([file, text]) => wholeFile(file, text)),
    ...inAdapter,
    ...inBase,
  ];
}

const READ_BYTES = 8 * 2 ** 20;

function blobFile(path: string, blob: Blob): ExportFile {
  return {
    path,
    bytes: blob.size,
    async *pieces() {
      for (let at = 0; at < blob.size; at += READ_BYTES)
        yield new Uint8Array(await blob.slice(at, at + READ_BYTES).arrayBuffer());
    },
  };
}
