/** A model's tensors cut into several safetensors files, as transformers names them. */
import {
  safetensorsBytes,
  safetensorsHeader,
  safetensorsOrder,
  type SafetensorsSpec,
} from '../formats/safetensors.ts';
import { wholeFile, type ExportFile } from './exportFile.ts';

/** The tensors of one file by name. */
type Shard = ReadonlyMap<string, SafetensorsSpec>;

/**
 * The safetensors files of tensors, after their index where they are several.
 * @param limit bytes of a file's tensors
 * @param piecesOf the bytes of one tensor, asked for when its file is written
 */
export function shardFiles(
  specs: ReadonlyMap<string, SafetensorsSpec>,
  limit: number,
  piecesOf: (name: string) => AsyncIterable<Uint8Array>,
): ExportFile[] {
  const shards = shardsOf(specs, limit);
  const names = shardNames(shards.length);
  const files = shards.map((shard, i): ExportFile => {
    const header = safetensorsHeader(shard);
    return {
      path: names[i],
      bytes: header.byteLength + bytesOfShard(shard),
      async *pieces() {
        yield header;
        for (const name of safetensorsOrder(shard)) yield* piecesOf(name);
      },
    };
  });
  return shards.length > 1 ? [shardIndex(shards), ...files] : files;
}

/** @param limit bytes of a file; a tensor that is larger gets one of its own */
function shardsOf(specs: ReadonlyMap<string, SafetensorsSpec>, limit: number): Shard[] {
  const shards = [new Map<string, SafetensorsSpec>()];
  let used = 0;
  for (const [name, spec] of specs) {
    const bytes = safetensorsBytes(spec);
    if (used > 0 && used + bytes > limit) {
      shards.push(new Map());
      used = 0;
    }
    shards.at(-1)!.set(name, spec);
    used += bytes;
  }
  return shards;
}

function shardNames(count: number): string[] {
  const number = (n: number) => String(n).padStart(5, '0');
  return count === 1
    ? ['model.safetensors']
    : Array.from({ length: count }, (_, i) => `model-${number(i + 1)}-of-${number(count)}.safetensors`);
}

/** Of its tensors, without the header. */
function bytesOfShard(shard: Shard): number {
  return [...shard.values()].reduce((sum, spec) => sum + safetensorsBytes(spec), 0);
}

/** model.safetensors.index.json. */
function shardIndex(shards: readonly Shard[]): ExportFile {
  const names = shardNames(shards.length);
  const index = {
    metadata: { total_size: shards.reduce((sum, shard) => sum + bytesOfShard(shard), 0) },
    weight_map: Object.fromEntries(
      shards.flatMap((shard, i) => [...shard.keys()].map((name) => [name, names[i]] as const)).sort(),
    ),
  };
  return wholeFile('model.safetensors.index.json', `${JSON.stringify(index, null, 2)}\n`);
}
