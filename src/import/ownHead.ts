/**
 * Whether a head that config.json ties to the embedding is one with it. A checkpoint may hold both with
 * different values; transformers then keeps them apart, whatever config.json says (tie_weights in
 * modeling_utils.py), and so does an import.
 */
import type { SourceCheckpoint, SourceTensor } from '../formats/checkpoint.ts';
import { modelOf } from '../model/families/registry.ts';
import { HEAD_PREFIXES, withModelNames } from './tensorNames.ts';

/** Bytes compared at once. */
const PIECE_BYTES = 4 * 1024 * 1024;
/** Of a file that is downloaded: pieces of the two that are compared, and their bytes. */
const SAMPLES = 16;
const SAMPLE_BYTES = 4096;

/** @returns the checkpoint, its config untied where it has a head with values of its own */
export async function withOwnHead(source: SourceCheckpoint): Promise<SourceCheckpoint> {
  const model = modelOf(source.config);
  if (!model.config.tie_word_embeddings || source.gguf) return source;
  const head = HEAD_PREFIXES.map((prefix) => source.tensors.get(`${prefix}lm_head.weight`)).find(Boolean);
  const table = model.tensors.find(({ name }) => name.endsWith('embed_tokens.weight'))!;
  const embedding = withModelNames(source, model.tensors).tensors.get(table.name);
  if (!head || !embedding || head === embedding || (await isSame(head, embedding))) return source;
  const { config } = source;
  const untied = (json: Record<string, unknown>) => ({
    ...json,
    tie_word_embeddings: false,
    ...('tie_embedding' in json && { tie_embedding: false }),
  });
  const text = config.text_config as Record<string, unknown> | undefined;
  return { ...source, config: { ...untied(config), ...(text && { text_config: untied(text) }) } };
}

/** By every byte; where a file is downloaded, by samples spread over both. */
async function isSame(a: SourceTensor, b: SourceTensor): Promise<boolean> {
  const size = a.end - a.begin;
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join() || b.end - b.begin !== size) return false;
  const isRemote = a.file.download !== undefined || b.file.download !== undefined;
  const bytes = isRemote ? SAMPLE_BYTES : PIECE_BYTES;
  const last = Math.max(0, size - bytes);
  const count = isRemote ? SAMPLES : Math.ceil(size / bytes);
  for (let i = 0; i < count; i++) {
    const from = isRemote ? Math.floor((last * i) / (SAMPLES - 1)) : i * bytes;
    const [one, other] = await Promise.all([a, b].map((tensor) => readAt(tensor, from, bytes)));
    if (one.some((byte, place) => byte !== other[place])) return false;
  }
  return true;
}

async function readAt({ file, begin, end }: SourceTensor, from: number, bytes: number): Promise<Uint8Array> {
  return new Uint8Array(
    await file.blob.slice(begin + from, Math.min(end, begin + from + bytes)).arrayBuffer(),
  );
}
