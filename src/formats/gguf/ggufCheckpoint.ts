/**
 * A GGUF, whole or split, as a checkpoint of the Hub: its config, its tokenizer's files, and its tensors by
 * the Hub's names.
 */
import { UserError } from '../../lib/errors.ts';
import { decodeBlocks } from '../../quant/ggufBlocks.ts';
import {
  fileName,
  shownLicence,
  type NamedFile,
  type SourceCheckpoint,
  type SourceTensor,
} from '../sourceCheckpoint.ts';
import { readGguf, type GgufFile, type GgufTensor } from './gguf.ts';
import { ggufConfig } from './ggufConfig.ts';
import { valueHeadOrder } from './layeredFamilies.ts';
import { GGUF_FAMILIES, hubName, type GgufFamily } from './ggufFamilies.ts';
import { GgufMetadata } from './ggufMetadata.ts';
import { ggufTokenizer } from './ggufTokenizer.ts';

/** A tensor with the file that holds it. */
type Placed = GgufTensor & { file: NamedFile };

/** Tensors that are settings, and what llama.cpp makes for itself. */
const SETTINGS = /^rope_(freqs|factors_long|factors_short)\.weight$|\.attn_rot_embd$/;

/** @param files one GGUF, or all parts of a split one @throws UserError naming what is not read */
export async function openGguf(files: readonly NamedFile[]): Promise<SourceCheckpoint> {
  const { metadata: m, first, parts } = await readParts(files);
  const family = GGUF_FAMILIES.get(m.architecture);
  if (!family)
    return m.fail(
      `general.architecture is "${m.architecture}", which Finetab does not read from GGUF. Read: ${[...GGUF_FAMILIES.keys()].join(', ')}. Use the model's safetensors files.`,
    );
  const byName = new Map(parts.flatMap(({ file, tensors }) => tensors.map((t) => [t.name, { ...t, file }])));
  const embedding = byName.get('token_embd.weight');
  if (!embedding) return m.fail('it has no tensor token_embd.weight. Download the file again.');
  const long = await values(byName.get('rope_factors_long.weight'));
  const short = await values(byName.get('rope_factors_short.weight'));
  const config = ggufConfig(m, family, {
    vocabulary: embedding.shape[0]!, // A GGUF's tensors have a dimension at least.
    has: (name) => byName.has(name),
    ropeDivisors: await values(byName.get('rope_freqs.weight')),
    longRope: long && short ? { long, short } : null,
  });
  const tensors = new Map(
    [...byName.values()]
      .filter(({ name }) => !SETTINGS.test(name))
      .map((tensor) => {
        const source = sourceTensor(tensor, family, config);
        return [source.name, source];
      }),
  );
  const settings = [...byName.values()].filter(({ name }) => /^rope_/.test(name) && SETTINGS.test(name));
  return {
    config,
    tensors,
    prequantized: false,
    gguf: true,
    licence: shownLicence(m.values.get('general.license')),
    ggufSource: {
      file: first,
      settings: await Promise.all(
        settings.map(async (tensor) => ({
          name: tensor.name,
          shape: tensor.shape,
          data: Float32Array.from((await values(tensor))!),
        })),
      ),
    },
    texts: ggufTokenizer(m),
    weightFiles: parts.map(({ file }) => file),
  };
}

/** Reads all headers. The metadata are the first part's. */
async function readParts(files: readonly NamedFile[]) {
  const read = await Promise.all(
    files.map(async (file) => ({ file, ...(await readGguf(file.blob, fileName(file.path))) })),
  );
  const number = (part: GgufFile, key: string, fallback: number) => {
    const value = part.metadata.get(key) ?? fallback;
    return typeof value === 'number' ? value : fallback;
  };
  const [any] = read;
  if (!any) throw new UserError('There is no GGUF file here.');
  const count = number(any, 'split.count', 1);
  if (count <= 1) {
    if (read.length > 1)
      throw new UserError(
        `These are ${read.length} GGUF files that are no parts of one model (${read.map(({ file }) => fileName(file.path)).join(', ')}). Drop one of them.`,
      );
    const metadata = new GgufMetadata(any.metadata, fileName(any.file.path));
    return { metadata, first: any.file, parts: read };
  }
  const parts = read.toSorted((a, b) => number(a, 'split.no', 0) - number(b, 'split.no', 0));
  const first = parts[0] ?? any;
  const numbers = parts.map((part) => number(part, 'split.no', -1));
  const missing = Array.from({ length: count }, (_, i) => i).filter((i) => !numbers.includes(i));
  const name = fileName(first.file.path);
  if (missing.length > 0)
    throw new UserError(
      `${name} is one of ${count} parts of a model; missing: part ${missing.map((i) => i + 1).join(', ')}. Drop all parts together.`,
    );
  if (parts.length !== count)
    throw new UserError(
      `${name} is one of ${count} parts, but there are ${parts.length}. Drop one model only.`,
    );
  const tensors = parts.flatMap((part) => part.tensors.map((tensor) => tensor.name));
  const expected = number(first, 'split.tensors.count', tensors.length);
  if (tensors.length !== expected || new Set(tensors).size !== tensors.length)
    throw new UserError(
      `${name}: its parts hold ${tensors.length} tensors in place of ${expected}. Download them again.`,
    );
  return { metadata: new GgufMetadata(first.metadata, name), first: first.file, parts };
}

/** All of a small tensor, null where there is none. */
async function values(tensor: Placed | undefined): Promise<number[] | null> {
  if (!tensor) return null;
  const bytes = await tensor.file.blob.slice(tensor.begin, tensor.end).arrayBuffer();
  return [...decodeBlocks(tensor.format, new Uint8Array(bytes))];
}

/** Under the Hub's name and in the Hub's shape; one that is not known keeps its own name. */
function sourceTensor(tensor: Placed, family: GgufFamily, config: Record<string, unknown>): SourceTensor {
  const { format, ggmlType, begin, end, file } = tensor;
  const name = hubName(family, tensor.name) ?? tensor.name;
  const headDim = config.head_dim as number;
  const permuted = family.permuted === true && /\.self_attn\.[qk]_proj\./.test(name);
  const plusOne =
    family.normsPlusOne === true && /norm\.weight$/.test(name) && !/linear_attn\.norm\./.test(name);
  const negatedExp = /\.linear_attn\.A_log$/.test(name);
  const headOrder = valueHeadOrder(name, config);
  const plain = format.elements === 1 && !plusOne && !negatedExp && headOrder?.axis !== 'columns';
  return {
    name,
    file,
    begin,
    end,
    dtype: plain ? (format.name as 'F32' | 'F16' | 'BF16') : 'F32',
    // The Hub keeps a convolution's taps as torch does, [channels, 1, taps].
    shape: /\.(conv\.conv|conv1d)\.weight$/.test(name)
      ? [tensor.shape[0]!, 1, tensor.shape.at(-1)!]
      : tensor.shape,
    gguf: {
      ggmlType,
      headRows: permuted ? headDim : 0,
      plusOne,
      ...(negatedExp && { negatedExp }),
      ...(headOrder && { headOrder }),
    },
  };
}
