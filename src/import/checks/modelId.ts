import { sha256Hex } from '../../lib/sha256.ts';
import type { ModelManifest } from '../../storage/database.ts';

/** The id under which a model is stored: the same files in the same quantization have the same. */
export async function modelIdOf({
  files,
  config,
  texts,
  quantization,
}: Pick<ModelManifest, 'files' | 'config' | 'texts' | 'quantization'>): Promise<string> {
  const identity = JSON.stringify({ files, config, texts, quantization });
  return (await sha256Hex(new TextEncoder().encode(identity))).slice(0, 32);
}
