/** player.json: what lies in a folder that finetab-player plays. A static host lists no files, so it does. */
import { UserError } from '../../lib/errors.ts';

export const PLAYER_MANIFEST = 'player.json';
/** The player's own files: the module that pages import, and what it loads where there is no WebGPU. */
export const PLAYER_FILE = 'finetab-player.js';
export const FALLBACK_FILE = 'finetab-player-fallback.js';

/** A file of the folder. */
export interface PlayerFile {
  /** Relative to the manifest, or an address of its own. */
  path: string;
  /** Its size, against which a download is held; absent: not known. */
  bytes?: number;
}

/** How the base's weights are held on the GPU, as in a recipe. */
export type PlayerQuantization = 'nf4' | 'none' | 'gguf';

export interface PlayerManifest {
  /** Of the base model: a checkpoint as the Hub lays it out, or a GGUF. */
  base: readonly PlayerFile[];
  quantization: PlayerQuantization;
  /** Files of each adapter by the adapter's name: a PEFT folder's two, or a GGUF LoRA adapter. */
  adapters: Readonly<Record<string, readonly PlayerFile[]>>;
  /** The system prompt with which the adapter was trained; null: none. */
  system: string | null;
  /** The date that templates print, as `26 Jul 2024`; null: the default of the training. */
  date_string: string | null;
  /** Defaults of an answer, as in a recipe's `evaluation`. */
  sampling: PlayerSampling;
}

export interface PlayerSampling {
  max_new_tokens: number;
  do_sample: boolean;
  temperature: number;
  top_p: number;
  seed: number;
}

export const DEFAULT_SAMPLING: PlayerSampling = {
  max_new_tokens: 256,
  do_sample: false,
  temperature: 1,
  top_p: 1,
  seed: 42,
};

/** @param text of player.json @throws UserError where it is no such manifest */
export function readPlayerManifest(text: string): PlayerManifest {
  const value = parsed(text);
  const { base, quantization = 'nf4', adapters = {}, system = null, date_string = null, sampling } = value;
  if (!isFiles(base)) throw wrong('"base" is no list of files');
  if (!['nf4', 'none', 'gguf'].includes(quantization as string))
    throw wrong(`"quantization" is ${JSON.stringify(quantization)}`);
  if (!isObject(adapters) || !Object.values(adapters).every(isFiles))
    throw wrong('"adapters" has a name without a list of files');
  if (system !== null && typeof system !== 'string') throw wrong('"system" is no text');
  if (date_string !== null && typeof date_string !== 'string') throw wrong('"date_string" is no text');
  return {
    base,
    quantization: quantization as PlayerQuantization,
    adapters: adapters as PlayerManifest['adapters'],
    system,
    date_string,
    sampling: { ...DEFAULT_SAMPLING, ...(isObject(sampling) ? (sampling as Partial<PlayerSampling>) : {}) },
  };
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Reported below, as for JSON of another kind.
  }
  throw wrong('it is not a JSON object');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFiles(value: unknown): value is PlayerFile[] {
  return Array.isArray(value) && value.length > 0 && value.every(isFile);
}

function isFile(value: unknown): boolean {
  return isObject(value) && typeof value.path === 'string';
}

function wrong(what: string): UserError {
  return new UserError(
    `${PLAYER_MANIFEST} cannot be used: ${what}. Export the folder again, and put all of it on the host.`,
  );
}
