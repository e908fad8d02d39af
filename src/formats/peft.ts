/** PEFT's adapter folder: adapter_config.json and adapter_model.safetensors, written so that PEFT loads them unmodified, and read back. */
import { UserError } from '../lib/errors.ts';
import { readSafetensorsHeader, toFloat32, writeSafetensors } from './safetensors.ts';
import type { Float32Tensor } from './tensors.ts';

/** What an adapter's config says of how it was trained, under LoraConfig's names. */
export interface PeftSettings {
  r: number;
  lora_alpha: number;
  lora_dropout: number;
  use_rslora: boolean;
  use_dora: boolean;
  base_model_name_or_path: string | null;
}

/**
 * @param tensors float32 under PEFT's names
 * @param passedOn tokenizer files of the base model, copied along @param card README.md
 * @returns contents by file name; the same adapter and settings give the same bytes
 */
export function writePeftFolder(
  tensors: ReadonlyMap<string, Float32Tensor>,
  settings: PeftSettings,
  passedOn: Readonly<Record<string, string>> = {},
  card?: string,
): Map<string, Uint8Array> {
  const encode = (text: string) => new TextEncoder().encode(text);
  const files = new Map<string, Uint8Array>();
  files.set('adapter_config.json', encode(`${JSON.stringify(adapterConfig(tensors, settings), null, 2)}\n`));
  files.set('adapter_model.safetensors', writeSafetensors(new Map([...tensors].map(([name, { shape, data }]) => [name, { dtype: 'F32' as const, shape, data }]))));
  for (const [name, text] of Object.entries(passedOn).sort(([a], [b]) => (a < b ? -1 : 1))) files.set(name, encode(text));
  if (card !== undefined) files.set('README.md', encode(card));
  return files;
}

/** The keys that PEFT's LoraConfig.save_pretrained writes and every version since 0.11 reads. */
function adapterConfig(tensors: ReadonlyMap<string, Float32Tensor>, settings: PeftSettings) {
  return {
    alpha_pattern: {},
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
    rank_pattern: {},
    revision: null,
    target_modules: targetModules(tensors),
    task_type: 'CAUSAL_LM',
    use_dora: settings.use_dora,
    use_rslora: settings.use_rslora,
  };
}

/** The last part of each adapted module's name, sorted: what PEFT makes of 'all-linear'. */
function targetModules(tensors: ReadonlyMap<string, Float32Tensor>): string[] {
  return [
    ...new Set(
      [...tensors.keys()].map((name) =>
        name
          .replace(/\.lora_\w+(\.weight)?$/, '')
          .split('.')
          .at(-1)!,
      ),
    ),
  ].sort();
}

export interface ReadAdapter {
  config: Record<string, unknown>;
  tensors: Map<string, Float32Tensor>;
}

/** @throws UserError where a file is missing or not what PEFT writes */
export async function readPeftFolder(files: ReadonlyMap<string, Blob>): Promise<ReadAdapter> {
  const [configFile, weights] = [files.get('adapter_config.json'), files.get('adapter_model.safetensors')];
  if (!configFile || !weights)
    throw new UserError(`An adapter folder holds adapter_config.json and adapter_model.safetensors; ${configFile ? 'the weights are' : 'adapter_config.json is'} missing.`);
  let config: Record<string, unknown>;
  try {
    config = JSON.parse(await configFile.text()) as Record<string, unknown>;
  } catch {
    throw new UserError('adapter_config.json is not JSON. Export the adapter again.');
  }
  if (config.peft_type !== 'LORA') throw new UserError(`adapter_config.json: peft_type is ${JSON.stringify(config.peft_type)}; only LORA adapters can be read.`);
  const tensors = new Map<string, Float32Tensor>();
  for (const { name, dtype, shape, begin, end } of await readSafetensorsHeader(weights, 'adapter_model.safetensors')) {
    if (/\.lora_[AB]\.weight$/.test(name) && shape[name.endsWith('lora_A.weight') ? 0 : 1] !== config.r) {
      throw new UserError(`adapter_model.safetensors: ${name} is [${shape}], which does not fit r = ${JSON.stringify(config.r)} of adapter_config.json.`);
    }
    tensors.set(name, { shape, data: toFloat32(dtype, new Uint8Array(await weights.slice(begin, end).arrayBuffer())) });
  }
  return { config, tensors };
}
