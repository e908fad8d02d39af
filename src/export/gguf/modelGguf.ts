/**
 * A model with an adapter merged into it as one GGUF file, checked by our own reader before any weight is
 * made.
 */
import { concatenated } from '../../lib/concatenated.ts';
import { filesOfModel, type TokenizerFiles } from '../../data/tokenizer/chatTokenizer.ts';
import { readGguf, type GgufFile, type GgufValue as PlainValue } from '../../formats/gguf/gguf.ts';
import { openGguf } from '../../formats/gguf/ggufCheckpoint.ts';
import { permuteRows } from '../../formats/gguf/rowOrder.ts';
import {
  ggufArchitecture,
  ggufModuleName,
  permutedHeads,
  type GgufArchitecture,
} from '../../formats/ggufNames.ts';
import {
  ggufHeader,
  ggufPadding,
  ggufTensorBytes,
  type GgufTensorInfo,
  type GgufValue,
} from '../../formats/ggufWriter.ts';
import type { GgufSource } from '../../formats/sourceCheckpoint.ts';
import type { WeightSource } from '../../formats/tensors.ts';
import type { WeightRows } from '../../formats/weightRows.ts';
import { UserError } from '../../lib/errors.ts';
import { modelOf } from '../../model/families/registry.ts';
import type { ExportFile } from '../exportFile.ts';
import { mergedRows, type MergeDeltas } from '../mergeAdapter.ts';
import { checkConfig } from './configCheck.ts';
import { configKeys, type ExportedConfig } from './configKeys.ts';
import { encodeTensor, GGUF_FILE_TYPES, tensorType, type GgufFileType } from './tensorEncoding.ts';
import { modelTokenizer } from './modelTokenizer.ts';
import { chooseTokenizer, copiedTokenizer, type ChosenTokenizer } from './tokenizerChoice.ts';

export interface ModelGgufOptions {
  base: WeightSource;
  deltas: MergeDeltas;
  texts: Readonly<Record<string, string>>;
  /** `general.name`. */
  name: string;
  fileType: GgufFileType;
  /** Of a base that was read from a GGUF: its metadata are copied. */
  ggufSource?: GgufSource;
}

/** One tensor of the file, and what is done to the model's on the way. */
interface WrittenTensor extends GgufTensorInfo {
  /** Its name in the model. */
  source: string;
  /** Rows of a head that are reordered; 0: as they are. */
  headRows: number;
  plusOne: boolean;
}

/**
 * @throws UserError naming the part of the model that a GGUF file cannot hold, or that llama.cpp reads
 * otherwise
 */
export async function modelGguf({
  base,
  deltas,
  texts,
  name,
  fileType,
  ggufSource,
}: ModelGgufOptions): Promise<ExportFile & { notes: readonly string[] }> {
  const config = modelOf(base.config).config as ExportedConfig;
  const architecture = ggufArchitecture(config.model_type);
  const fromConfig = configKeys(config, architecture);
  const settings = ggufSource
    ? ggufSource.settings
    : [...fromConfig.settings].map(([key, data]) => ({ name: key, shape: [data.length], data }));
  const copied = ggufSource ? await readGguf(ggufSource.file.blob, ggufSource.file.path) : null;
  const files = filesOfModel({ config: base.config, texts });
  const tokenizer = tokenizerPart(files, config, architecture, copied?.metadata);
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: architecture.name }],
    ...(copied ? await copiedKeys(ggufSource!.file.blob, copied.valueRanges) : fromConfig.keys),
    ...tokenizer.keys,
    ['general.type', { type: 'string', value: 'model' }],
    ['general.name', { type: 'string', value: name }],
    ['general.file_type', { type: 'uint32', value: GGUF_FILE_TYPES[fileType] }],
    ['general.quantization_version', { type: 'uint32', value: 2 }],
  ]);
  const tensors = writtenTensors(base, config, architecture, fileType);
  const settingInfos = settings.map(({ name: key, shape }) => ({ name: key, shape, type: 'F32' as const }));
  const header = ggufHeader(metadata, [...settingInfos, ...tensors]);
  const ahead = concatenated([
    header,
    ...settings.flatMap(({ data }) => {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return [bytes, new Uint8Array(ggufPadding(bytes.byteLength))];
    }),
  ]);
  const bytes = tensors.reduce((sum, tensor) => sum + paddedBytes(tensor), ahead.byteLength);
  await checkFile(ahead, bytes, config);
  return {
    path: 'model.gguf',
    bytes,
    async *pieces() {
      yield ahead;
      for (const tensor of tensors) yield* tensorPieces(base, deltas, tensor);
    },
    notes: [...tokenizer.notes, ...windowNotes(config, architecture)],
  };
}

/**
 * The keys that say how texts become ids; "none" where the model's folder has no tokenizer.
 * @param copied metadata of the base's GGUF, which hold the tokenizer
 */
function tokenizerPart(
  files: TokenizerFiles,
  config: ExportedConfig,
  { name }: GgufArchitecture,
  copied: ReadonlyMap<string, PlainValue> | undefined,
): ChosenTokenizer {
  const trained = modelTokenizer(files);
  if (trained && copied) return copiedTokenizer(trained, copied, name);
  if (trained) return chooseTokenizer(trained, config.vocab_size, name);
  return {
    keys: new Map(copied ? [] : [['tokenizer.ggml.model', { type: 'string', value: 'none' }]]),
    notes: [
      "The base model's folder holds no tokenizer.json, so the file has no tokenizer: it can compute, not chat.",
    ],
  };
}

/** Metadata of the base's file, but for what describes its parts, its quantisation or its layout. */
async function copiedKeys(file: Blob, valueRanges: GgufFile['valueRanges']): Promise<[string, GgufValue][]> {
  const kept = [...valueRanges].filter(
    ([key]) => !/^(split\.|quantize\.|general\.(alignment|architecture|size_label)$)/.test(key),
  );
  return Promise.all(
    kept.map(async ([key, [begin, end]]): Promise<[string, GgufValue]> => [
      key,
      { type: 'copied', bytes: new Uint8Array(await file.slice(begin, end).arrayBuffer()) },
    ]),
  );
}

function writtenTensors(
  { tensors }: WeightSource,
  config: ExportedConfig,
  architecture: GgufArchitecture,
  fileType: GgufFileType,
): WrittenTensor[] {
  const named = [...tensors.values()].map(({ name: source, shape }) => {
    // The text part of a multimodal model has a prefix of its own.
    const plain = source.replace(/^model\.language_model\./, 'model.');
    const [, module, part] = /^(.*)\.(weight|bias)$/.exec(plain) ?? [];
    if (module === undefined) throw new UserError(`${source} has no name in GGUF files.`);
    const name = `${ggufModuleName(module, architecture)}.${part}`;
    const heads = permutedHeads(module, architecture, config);
    return {
      source,
      name,
      // A convolution's taps, [channels, 1, taps], lie there as [channels, taps].
      shape: shape.length === 3 ? [shape[0], shape[2]] : [...shape],
      headRows: heads === null ? 0 : shape[0] / heads,
      plusOne: architecture.normPlusOne && /norm\.weight$/.test(plain),
    };
  });
  const mix = { tied: config.tie_word_embeddings, names: named.map(({ name }) => name) };
  return named.map((tensor) => ({
    ...tensor,
    type: tensorType(tensor.name, tensor.shape, fileType, mix),
  }));
}

/** A tensor's data in the file, padded. */
async function* tensorPieces(
  base: WeightSource,
  deltas: MergeDeltas,
  tensor: WrittenTensor,
): AsyncGenerator<Uint8Array> {
  const { source, shape, type, headRows, plusOne } = tensor;
  const width = shape.length === 1 ? 1 : shape.at(-1)!;
  const rows = mergedRows(base, source, deltas);
  for await (const values of headRows > 0 ? wholeHeads(rows, headRows * width) : valuesOf(rows)) {
    const heads = values.length / (headRows * width);
    const ordered = headRows > 0 ? permuteRows(values, values.length / width, width, heads) : values;
    yield encodeTensor(plusOne ? ordered.map((value) => value + 1) : ordered, type, source);
  }
  const padding = ggufPadding(ggufTensorBytes(tensor));
  if (padding > 0) yield new Uint8Array(padding);
}

async function* valuesOf(rows: AsyncIterable<WeightRows>): AsyncGenerator<Float32Array> {
  for await (const { values } of rows) yield values;
}

/** The values regrouped, so that each piece is whole heads of `size` elements. */
async function* wholeHeads(rows: AsyncIterable<WeightRows>, size: number): AsyncGenerator<Float32Array> {
  let rest = new Float32Array(0);
  for await (const { values } of rows) {
    const all = new Float32Array(rest.length + values.length);
    all.set(rest);
    all.set(values, rest.length);
    const whole = Math.floor(all.length / size) * size;
    if (whole > 0) yield all.subarray(0, whole);
    rest = all.slice(whole);
  }
}

/** Reads the file's beginning as any reader would: its configuration must be the model's. */
async function checkFile(ahead: Uint8Array, bytes: number, config: ExportedConfig): Promise<void> {
  const blob = new Blob([ahead as Uint8Array<ArrayBuffer>]);
  // The weights are not made yet, and no reader needs them for what is compared.
  const file = { size: bytes, slice: (begin: number, end: number) => blob.slice(begin, end) } as Blob;
  const read = await openGguf([{ path: 'model.gguf', blob: file }]);
  checkConfig(config, read.config);
  for (const { name, shape } of modelOf(read.config).tensors) {
    const found = read.tensors.get(name);
    if (found?.shape.join() !== shape.join())
      throw new UserError(
        `The exported file would have ${name} as [${found?.shape.join() ?? 'nothing'}] instead of [${shape}], so that ` +
          'llama.cpp could not read it. Export the merged safetensors instead.',
      );
  }
}

/** llama.cpp lets these architectures see all tokens, whatever their files say. */
function windowNotes(
  { sliding_window, max_position_embeddings }: ExportedConfig,
  { name }: GgufArchitecture,
) {
  return (name === 'llama' || name === 'phi3') && sliding_window && sliding_window < max_position_embeddings
    ? [
        `The model was trained with a window of ${sliding_window} tokens, which llama.cpp does not keep to: longer texts are answered otherwise.`,
      ]
    : [];
}

function paddedBytes(tensor: GgufTensorInfo): number {
  const bytes = ggufTensorBytes(tensor);
  return bytes + ggufPadding(bytes);
}
