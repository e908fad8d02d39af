/**
 * PEFT's adapter folder: adapter_config.json and adapter_model.safetensors, written so that PEFT loads them
 * unmodified, and read back.
 */
import { UserError } from '../lib/errors.ts';
import { withOneRank } from './oneRank.ts';
import {
  patternValue,
  readPeftSettings,
  type PeftSettings,
  type WrittenPeftSettings,
} from './peftSettings.ts';
import { readSafetensorsHeader, toFloat32, writeSafetensors } from './safetensors.ts';
import type { Float32Tensor } from './tensors.ts';

export type { PeftSettings };

/**
 * What a run's adapter is saved with: which modules it has, and their ranks and alphas, are as its recipe
 * says.
 */
export interface FolderSettings extends PeftSettings {
  rank_pattern?: Readonly<Record<string, number>>;
  alpha_pattern?: Readonly<Record<string, number>>;
  target_modules?: string | readonly string[];
  exclude_modules?: string | readonly string[] | null;
  layers_to_transform?: number | readonly number[] | null;
}

/**
 * @param tensors float32 under PEFT's names
 * @param passedOn tokenizer files of the base model, copied along @param card README.md
 * @returns contents by file name; the same adapter and settings give the same bytes
 */
export function writePeftFolder(
  tensors: ReadonlyMap<string, Float32Tensor>,
  settings: FolderSettings,
  passedOn: Readonly<Record<string, string>> = {},
  card?: string,
): Map<string, Uint8Array> {
  const encode = (text: string) => new TextEncoder().encode(text);
  const files = new Map<string, Uint8Array>();
  files.set('adapter_config.json', encode(`${JSON.stringify(adapterConfig(tensors, settings), null, 2)}\n`));
  files.set(
    'adapter_model.safetensors',
    writeSafetensors(
      new Map([...tensors].map(([name, { shape, data }]) => [name, { dtype: 'F32' as const, shape, data }])),
    ),
  );
  for (const [name, text] of Object.entries(passedOn).sort(([a], [b]) => (a < b ? -1 : 1)))
    files.set(name, encode(text));
  if (card !== undefined) files.set('README.md', encode(card));
  return files;
}

/** The keys that PEFT's LoraConfig.save_pretrained writes and every version since 0.11 reads. */
function adapterConfig(tensors: ReadonlyMap<string, Float32Tensor>, settings: FolderSettings) {
  return {
    alpha_pattern: settings.alpha_pattern ?? {},
    auto_mapping: null,
    base_model_name_or_path: settings.base_model_name_or_path,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: null,
    lora_alpha: settings.lora_alpha,
    lora_dropout: settings.lora_dropout,
    modules_to_save: null,
    peft_type: 'LORA',
    r: settings.r,
    rank_pattern: settings.rank_pattern ?? {},
    revision: null,
    target_modules: targetModules(tensors, settings),
    task_type: 'CAUSAL_LM',
    use_dora: settings.use_dora,
    use_rslora: settings.use_rslora,
  };
}

/**
 * The last part of each adapted module's name, sorted: what PEFT makes of 'all-linear'. Whole names where the
 * recipe chose among modules of one last part.
 */
function targetModules(
  tensors: ReadonlyMap<string, Float32Tensor>,
  { target_modules = 'all-linear', exclude_modules, layers_to_transform }: FolderSettings,
): string[] {
  const isChosen =
    (typeof target_modules === 'string' && target_modules !== 'all-linear') ||
    (typeof target_modules !== 'string' && target_modules.some((name) => name.includes('.'))) ||
    (exclude_modules ?? []).length > 0 ||
    (layers_to_transform ?? null) !== null;
  const modules = [...tensors.keys()].map(moduleOf);
  return [...new Set(isChosen ? modules : modules.map((module) => module.split('.').at(-1)!))].sort();
}

/** An adapter as PEFT wrote it, or another program in a form of its own. */
export interface ReadAdapter {
  settings: PeftSettings;
  /**
   * Whether its modules had ranks or alphas of their own: they were brought to one, which computes the same
   * but would not learn the same.
   */
  evened: boolean;
  /** float32 under PEFT's names: base_model.model.<module>.lora_A.weight … */
  tensors: Map<string, Float32Tensor>;
  /** Adapted modules, in the order of the file. */
  modules: string[];
}

const AGAIN = 'Use an adapter that PEFT or Finetab saved for a causal language model.';
const PREFIX = 'base_model.model.';

/**
 * @param files of the folder by name; others than the two are ignored
 * @throws UserError where a file is missing, or asks for something that is not read
 */
export async function readPeftFolder(files: ReadonlyMap<string, Blob>): Promise<ReadAdapter> {
  const [configFile, weights] = [files.get('adapter_config.json'), files.get('adapter_model.safetensors')];
  if (!configFile || !weights) {
    if (files.has('adapter_model.bin'))
      throw new UserError(
        'adapter_model.bin is a PyTorch pickle, which Finetab does not read. Save the adapter with safe_serialization=True.',
      );
    throw new UserError(
      `An adapter folder holds adapter_config.json and adapter_model.safetensors; ${configFile ? 'the weights are' : 'adapter_config.json is'} missing.`,
    );
  }
  const settings = readPeftSettings(await configFile.text());
  const tensors = new Map<string, Float32Tensor>();
  for (const { name: written, dtype, shape, begin, end } of await readSafetensorsHeader(
    weights,
    'adapter_model.safetensors',
  )) {
    const name = tensorName(written);
    if (tensors.has(name))
      throw new UserError(
        `adapter_model.safetensors holds ${name} twice: once as ${written}. It is of two adapters: save the one that is wanted by itself. ${AGAIN}`,
      );
    if (/\.lora_[AB]\.weight$/.test(name) && shape.length !== 2)
      throw new UserError(
        `adapter_model.safetensors: ${written} is [${shape}], where a matrix is wanted. ${AGAIN}`,
      );
    const rank = name.endsWith('.lora_A.weight')
      ? shape[0]
      : name.endsWith('.lora_B.weight')
        ? shape[1]
        : null;
    const expected = patternValue(settings.rank_pattern, moduleOf(name), settings.r);
    if (rank !== null && rank !== expected)
      throw new UserError(
        `adapter_model.safetensors: ${written} is [${shape}], which does not fit r = ${expected} of adapter_config.json.`,
      );
    tensors.set(name, {
      shape,
      data: toFloat32(dtype, new Uint8Array(await weights.slice(begin, end).arrayBuffer())),
    });
  }
  const modules = [...new Set([...tensors.keys()].map(moduleOf))];
  if (modules.length === 0) throw new UserError(`adapter_model.safetensors holds no tensor. ${AGAIN}`);
  for (const module of modules) {
    for (const matrix of ['lora_A', 'lora_B'])
      if (!tensors.has(`${PREFIX}${module}.${matrix}.weight`))
        throw new UserError(
          `adapter_model.safetensors has no ${matrix} for ${module}: the file is incomplete. ${AGAIN}`,
        );
    if (!settings.use_dora) continue;
    const magnitudes = tensors.get(`${PREFIX}${module}.lora_magnitude_vector`)?.shape;
    const [out] = tensors.get(`${PREFIX}${module}.lora_B.weight`)!.shape;
    if (magnitudes?.join() !== `${out}`)
      throw new UserError(
        `adapter_model.safetensors ${magnitudes ? `has [${magnitudes}] as` : 'has no'} lora_magnitude_vector for ${module}, whose outputs are ${out}: a DoRA adapter has one number for each. ${AGAIN}`,
      );
  }
  const magnitude = [...tensors.keys()].find((name) => name.includes('.lora_magnitude_vector'));
  if (magnitude && !settings.use_dora)
    throw new UserError(
      `adapter_model.safetensors holds ${magnitude}, a DoRA magnitude, but adapter_config.json does not say use_dora: true. Restore that key, or use an adapter without DoRA.`,
    );
  for (const [name, { data }] of tensors)
    if (!data.every(Number.isFinite))
      throw new UserError(
        `adapter_model.safetensors: ${name} holds NaN or infinite values: the adapter comes from a diverged run.`,
      );
  return evenedAdapter(tensors, settings);
}

/**
 * An adapter as readPeftFolder gives it, without a file in between: modules of ranks or alphas of their own
 * come to one. @param tensors float32 under PEFT's names; changed in place where that is so
 */
export function evenedAdapter(
  tensors: Map<string, Float32Tensor>,
  { rank_pattern, alpha_pattern, ...plain }: WrittenPeftSettings,
): ReadAdapter {
  const modules = [...new Set([...tensors.keys()].map(moduleOf))];
  const own = new Map(
    modules.map((module) => [
      module,
      {
        r: patternValue(rank_pattern, module, plain.r),
        lora_alpha: patternValue(alpha_pattern, module, plain.lora_alpha),
      },
    ]),
  );
  return { ...withOneRank(tensors, plain, own), tensors, modules };
}

function moduleOf(name: string): string {
  return name.slice(PREFIX.length).replace(/\.lora_.*$/, '');
}

/**
 * PEFT's name of a tensor. The adapter's name, which some versions left in it, and the '.weight' that a
 * magnitude vector has inside PEFT are taken out.
 */
function tensorName(written: string): string {
  const name = written
    .replace(/\.(lora_[AB]|lora_magnitude_vector)\.default(?=\.|$)/, '.$1')
    .replace(/\.lora_magnitude_vector\.weight$/, '.lora_magnitude_vector');
  if (name.startsWith(PREFIX) && /\.(lora_A\.weight|lora_B\.weight|lora_magnitude_vector)$/.test(name))
    return name;
  throw new UserError(
    `adapter_model.safetensors: ${written} is not a LoRA matrix of a linear layer, which is all that Finetab reads. ${AGAIN}`,
  );
}
