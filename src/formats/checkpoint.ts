/**
 * A model's files, opened: a folder as the Hub lays it out (config, tokenizer, one safetensors file or shards
 * with an index), or a GGUF.
 */
import { UserError } from '../lib/errors.ts';
import { combineNf4 } from './bitsandbytes.ts';
import { combineFp8 } from './fp8.ts';
import { isGguf } from './gguf/gguf.ts';
import { openGguf } from './gguf/ggufCheckpoint.ts';
import { readSafetensorsHeader } from './safetensors.ts';
import {
  fileName,
  licenceOfCard,
  type NamedFile,
  type SourceCheckpoint,
  type SourceTensor,
} from './sourceCheckpoint.ts';

export { fileName, type NamedFile, type SourceCheckpoint, type SourceTensor };

/** Files of a checkpoint beside its configuration and weights. */
export const TEXT_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'generation_config.json',
  'chat_template.jinja',
  'chat_template.json',
];
const OTHER_FORMATS: [RegExp, string][] = [
  [
    /\.(bin|pth|pt|ckpt)$/i,
    'a PyTorch pickle: reading it would run the code inside it, so Finetab does not. Use',
  ],
  [/\.(onnx|h5|msgpack)$/i, 'of another framework, which Finetab does not read. Use'],
];

/**
 * Finds and checks the files of one model among those dropped. Of the weights nothing is read but what says
 * how they are quantised.
 * @throws UserError saying which file is missing or wrong
 */
export async function openCheckpoint(files: readonly NamedFile[]): Promise<SourceCheckpoint> {
  const byName = (name: string) =>
    files.filter(({ path }) => fileName(path) === name).sort((a, b) => depth(a.path) - depth(b.path))[0];
  const configFile = byName('config.json');
  const index = byName('model.safetensors.index.json');
  const single = byName('model.safetensors');
  if (!configFile || (!index && !single)) {
    const ggufs = await ggufsOf(files);
    if (ggufs.length > 0) return openGguf(ggufs);
  }
  if (!configFile)
    throw new UserError(
      'There is no config.json among these files. Drop the whole folder of a model from the Hugging Face hub, or a GGUF.',
    );
  const config = await readJson(configFile);
  // As transformers: a single file counts before an index, which may be of an older save.
  const weightFiles = single ? [single] : index ? await shardsOf(index, byName) : noWeights(files);
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
  const { tensors: withNf4, quantized } = await combineNf4(tensors);
  const withFp8 = combineFp8(withNf4, config.quantization_config as Record<string, unknown> | undefined);
  const card = byName('README.md');
  const licence = card ? await licenceOfCard(card.blob) : null;
  return { config, tensors: withFp8, prequantized: quantized > 0, gguf: false, texts, licence, weightFiles };
}

/** The GGUFs among the files: by their ending, or by how they begin where they have none (Ollama's blobs). */
async function ggufsOf(files: readonly NamedFile[]): Promise<NamedFile[]> {
  const found: NamedFile[] = [];
  for (const file of files) {
    const name = fileName(file.path);
    if (/\.gguf$/i.test(name) || (!/\.[a-z]\w*$/i.test(name) && (await isGguf(file.blob)))) found.push(file);
  }
  return found;
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
      throw new UserError(`${fileName(path)} is ${format} the model's safetensors files, or a GGUF of it.`);
  }
  throw new UserError(
    'There is no model.safetensors (nor model.safetensors.index.json) among these files. Drop the whole folder of the model.',
  );
}
