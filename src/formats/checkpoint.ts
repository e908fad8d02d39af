/** A model's files as the hub lays them out: config, tokenizer, one safetensors file or shards with an index. */
import { UserError } from '../lib/errors.ts';
import { joinQuantized, type Nf4Scales } from './bitsandbytes.ts';
import { readSafetensorsHeader, type SafetensorsEntry } from './safetensors.ts';

export interface NamedFile {
  /** Path as dropped; only its last part matters. */
  path: string;
  blob: Blob;
  /** SHA-256 of the whole file, hex, where its source tells it. */
  sha256?: string;
}

/** Where a tensor lies. */
export interface SourceTensor extends SafetensorsEntry {
  file: NamedFile;
  /** Of a weight that is in NF4 already: the bytes are its codes, two a byte, `shape` is the weight's own. */
  nf4?: Nf4Scales<SourceTensor>;
}

export interface SourceCheckpoint {
  config: Record<string, unknown>;
  tensors: Map<string, SourceTensor>;
  /** Whether some of the tensors are quantised already. */
  prequantized: boolean;
  /** Texts of the tokenizer's and template's files that are there, by file name. */
  texts: Record<string, string>;
  /** The safetensors files, in reading order. */
  weightFiles: NamedFile[];
}

const TEXT_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'generation_config.json',
  'chat_template.jinja',
  'chat_template.json',
];
const OTHER_FORMATS: [RegExp, string][] = [
  [/\.gguf$/i, 'GGUF'],
  [/\.(bin|pth|pt|ckpt)$/i, 'PyTorch pickle'],
  [/\.(onnx|h5|msgpack)$/i, 'other-framework'],
];

/** Finds and checks the files of one model among those dropped. No weight is read, only what says how weights are quantised. @throws UserError saying which file is missing or wrong */
export async function openCheckpoint(files: readonly NamedFile[]): Promise<SourceCheckpoint> {
  const byName = (name: string) =>
    files.filter(({ path }) => fileName(path) === name).sort((a, b) => depth(a.path) - depth(b.path))[0];
  const configFile = byName('config.json');
  if (!configFile)
    throw new UserError(
      'There is no config.json among these files. Drop the whole folder of a model from the Hugging Face hub.',
    );
  const config = await readJson(configFile);
  const index = byName('model.safetensors.index.json');
  const single = byName('model.safetensors');
  const weightFiles = index ? await shardsOf(index, byName) : single ? [single] : noWeights(files);
  const tensors = new Map<string, SourceTensor>();
  for (const file of weightFiles) {
    for (const entry of await readSafetensorsHeader(file.blob, fileName(file.path))) {
      if (tensors.has(entry.name))
        throw new UserError(
          `${fileName(file.path)}: tensor ${entry.name} is in another file too. Drop the files of one model only.`,
        );
      tensors.set(entry.name, { ...entry, file });
    }
  }
  const texts: Record<string, string> = {};
  for (const name of TEXT_FILES) {
    const file = byName(name);
    if (file) texts[name] = await file.blob.text();
  }
  const { tensors: joined, quantized } = await joinQuantized(tensors);
  return { config, tensors: joined, prequantized: quantized > 0, texts, weightFiles };
}

export function fileName(path: string): string {
  return path.split('/').at(-1)!;
}

function depth(path: string): number {
  return path.split('/').length;
}

async function readJson(file: NamedFile): Promise<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(await file.blob.text());
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Reported below, as for JSON of another kind.
  }
  throw new UserError(`${fileName(file.path)} is not a JSON object. Download it again.`);
}

async function shardsOf(
  index: NamedFile,
  byName: (name: string) => NamedFile | undefined,
): Promise<NamedFile[]> {
  const map = (await readJson(index)).weight_map;
  if (
    typeof map !== 'object' ||
    map === null ||
    !Object.values(map).every((name) => typeof name === 'string')
  )
    throw new UserError(
      `${fileName(index.path)} has no "weight_map" from tensors to files. Download it again.`,
    );
  return [...new Set(Object.values(map as Record<string, string>))].sort().map((name) => {
    const file = byName(name);
    if (!file)
      throw new UserError(
        `${name} is missing: ${fileName(index.path)} names it as a part of the model. Drop it together with the others.`,
      );
    return file;
  });
}

function noWeights(files: readonly NamedFile[]): never {
  for (const { path } of files) {
    const format = OTHER_FORMATS.find(([pattern]) => pattern.test(path))?.[1];
    if (format)
      throw new UserError(
        `${fileName(path)} is a ${format} file, which Finetab does not read. Use the model's safetensors files.`,
      );
  }
  throw new UserError(
    'There is no model.safetensors (nor model.safetensors.index.json) among these files. Drop the whole folder of the model.',
  );
}
