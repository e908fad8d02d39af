/**
 * A model as it is held for a run, NF4 codes and scales unchanged, as a checkpoint of the Hub's layout: what
 * the player and transformers with bitsandbytes read.
 */
import { NF4_CONFIG, nf4Tensors, quantState, type Nf4Tensor } from '../../formats/nf4Parts.ts';
import type { SafetensorsDtype } from '../../formats/safetensors.ts';
import {
  isGguf,
  isNf4,
  tensorPartBytes,
  type TensorInfo,
  type TensorPart,
  type WeightSource,
} from '../../formats/tensors.ts';
import { UserError } from '../../lib/errors.ts';
import { wholeFile, type ExportFile } from '../exportFile.ts';
import { shardFiles } from '../shards.ts';

/** Some hosts take no file over 100 MB. */
const SHARD_BYTES = 95_000_000;

/** A tensor of the files and the weight that it is of. */
interface Written extends Nf4Tensor {
  info: TensorInfo;
}

/**
 * @param texts of the tokenizer's files by name
 * @throws UserError where the weights are blocks of a GGUF, which safetensors cannot hold
 */
export function storedModelFiles(
  base: WeightSource,
  texts: Readonly<Record<string, string>>,
  shardBytes = SHARD_BYTES,
): ExportFile[] {
  const written = new Map<string, Written>();
  for (const info of base.tensors.values()) {
    if (isGguf(info.kind))
      throw new UserError(
        'This model is held as the blocks of its GGUF, for which safetensors have no place. Use `npm run convert -- ADAPTER --base FILE.gguf --to player`, which puts the GGUF itself into the folder.',
      );
    if (isNf4(info.kind))
      for (const [name, tensor] of nf4Tensors(info)) written.set(name, { ...tensor, info });
    else {
      const dtype = info.kind.toUpperCase() as SafetensorsDtype;
      written.set(info.name, { spec: { dtype, shape: info.shape }, part: 'data', info });
    }
  }
  const parts = new SmallParts(base);
  const specs = new Map([...written].map(([name, { spec }]) => [name, spec]));
  const isQuantized = [...base.tensors.values()].some(({ kind }) => isNf4(kind));
  const config = Object.fromEntries(
    Object.entries(base.config).filter(([key]) => key !== 'quantization_config'),
  );
  const own = isQuantized ? { ...config, quantization_config: NF4_CONFIG } : config;
  return [
    wholeFile('config.json', `${JSON.stringify(own, null, 2)}\n`),
    ...Object.entries(texts).map(([name, text]) => wholeFile(name, text)),
    ...shardFiles(specs, shardBytes, (name) => bytesOf(written.get(name)!, parts, base)),
  ];
}

async function* bytesOf(
  { info, part, bytes }: Written,
  parts: SmallParts,
  base: WeightSource,
): AsyncGenerator<Uint8Array> {
  if (bytes) yield bytes;
  else if (part === 'packed' || part === 'data') {
    for await (const chunk of base.stream(info.name)) if (chunk.part === part) yield chunk.bytes;
  } else if (part === 'nested') yield (await parts.of(info)).nested!.subarray(4);
  else if (part) yield (await parts.of(info))[part]!;
  else yield quantState(info, new Float32Array((await parts.of(info)).nested!.buffer)[0]);
}

/** The scales of NF4 weights, which are asked for several times: about a 64th of the codes' elements. */
class SmallParts {
  private readonly read = new Map<string, Promise<Partial<Record<TensorPart, Uint8Array>>>>();

  constructor(private readonly source: WeightSource) {}

  of(info: TensorInfo): Promise<Partial<Record<TensorPart, Uint8Array>>> {
    const known = this.read.get(info.name) ?? this.gather(info);
    this.read.set(info.name, known);
    return known;
  }

  private async gather(info: TensorInfo): Promise<Partial<Record<TensorPart, Uint8Array>>> {
    const parts: Partial<Record<TensorPart, Uint8Array>> = Object.fromEntries(
      Object.entries(tensorPartBytes(info))
        .filter(([part]) => part !== 'packed')
        .map(([part, bytes]) => [part, new Uint8Array(bytes)]),
    );
    for await (const { part, byteOffset, bytes } of this.source.stream(info.name))
      parts[part]?.set(bytes, byteOffset);
    return parts;
  }
}
