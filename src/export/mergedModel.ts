/**
 * A model with an adapter merged into it, as the hub lays models out: 16-bit safetensors, config, tokenizer,
 * card.
 */
import { toBfloat16, toFloat16 } from '../quant/halfFloats.ts';
import type { SafetensorsSpec } from '../formats/safetensors.ts';
import type { WeightSource } from '../formats/tensors.ts';
import { wholeFile, type ExportFile } from './exportFile.ts';
import { mergedRows, type MergeDeltas } from './mergeAdapter.ts';
import { shardFiles } from './shards.ts';

export interface MergedModelOptions {
  base: WeightSource;
  deltas: MergeDeltas;
  /** 16-bit type of every tensor. */
  dtype: 'BF16' | 'F16';
  /** Texts of the tokenizer's and template's files by name, copied along. */
  texts: Readonly<Record<string, string>>;
  /** README.md. */
  card: string;
  /** Largest shard; a tensor is never split. transformers' own default. */
  shardBytes?: number;
}

const SHARD_BYTES = 5_000_000_000;
const TORCH_DTYPES = { BF16: 'bfloat16', F16: 'float16' } as const;

/** The files of the folder. Nothing is computed before a file's pieces are asked for. */
export function mergedModelFiles({
  base,
  deltas,
  dtype,
  texts,
  card,
  shardBytes = SHARD_BYTES,
}: MergedModelOptions): ExportFile[] {
  const specs = new Map<string, SafetensorsSpec>(
    [...base.tensors].map(([name, { shape }]) => [name, { dtype, shape }]),
  );
  const rows = async function* (name: string) {
    for await (const { values } of mergedRows(base, name, deltas)) {
      const halves = dtype === 'BF16' ? toBfloat16(values) : toFloat16(values);
      yield new Uint8Array(halves.buffer, halves.byteOffset, halves.byteLength);
    }
  };
  return [
    wholeFile('config.json', json(mergedConfig(base.config, dtype))),
    ...Object.entries(texts).map(([name, text]) => wholeFile(name, text)),
    wholeFile('README.md', card),
    ...shardFiles(specs, shardBytes, rows),
  ];
}

/** The base's config.json, which says what the files hold now. */
function mergedConfig(config: Record<string, unknown>, dtype: 'BF16' | 'F16'): Record<string, unknown> {
  const kept = Object.entries(config).filter(
    ([key]) => key !== 'quantization_config' && key !== 'torch_dtype' && key !== 'dtype',
  );
  // transformers 4 reads torch_dtype; 5 reads it too where there is no dtype.
  return { ...Object.fromEntries(kept), torch_dtype: TORCH_DTYPES[dtype] };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
