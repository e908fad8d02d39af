/**
 * adapter_config.json, read: every key that changes what the adapter computes is honoured or refused by its
 * name.
 */
import { UserError } from '../lib/errors.ts';

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
 * Keys that are read, or that change nothing of what a saved adapter computes: which modules it has is seen
 * from its tensors, and settings of an initialisation or of a runtime are over once it is saved.
 */
const KNOWN = new Set([
  'alpha_pattern',
  'auto_mapping',
  'base_model_name_or_path',
  'bias',
  'corda_config',
  'eva_config',
  'exclude_modules',
  'fan_in_fan_out',
  'inference_mode',
  'init_lora_weights',
  'layer_replication',
  'layers_pattern',
  'layers_to_transform',
  'loftq_config',
  'lora_alpha',
  'lora_bias',
  'lora_dropout',
  'lora_ga_config',
  'megatron_config',
  'megatron_core',
  'modules_to_save',
  'peft_type',
  'peft_version',
  'qalora_group_size',
  'r',
  'rank_pattern',
  'revision',
  'runtime_config',
  'target_modules',
  'target_parameters',
  'task_type',
  'trainable_token_indices',
  'use_dora',
  'use_rslora',
]);

/**
 * Initialisations after which the base model is as it was; PEFT changes it for the others while it loads
 * them.
 */
const PLAIN_STARTS: readonly unknown[] = [undefined, null, true, false, 'gaussian', 'eva', 'orthogonal'];

/** What a key that is not known must be for the adapter to be plain LoRA. */
function isOff(value: unknown): boolean {
  if (value === null || value === undefined || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

const INSTEAD = 'Use an adapter that PEFT or Finetab saved for a causal language model.';

/** Expressions without groups and repetitions, on which matching cannot take long: a file may be hostile. */
const SAFE_PATTERN = /^\^?(?:\\[.d]|\.\*|[\w.-])+\$?$/;

/** Numbers by patterns of module names, in the order in which they are tried. */
export type NumberPattern = readonly (readonly [pattern: string, value: number])[];

/** Settings as the file has them: some modules may have a rank or an alpha of their own. */
export interface WrittenPeftSettings extends PeftSettings {
  rank_pattern: NumberPattern;
  alpha_pattern: NumberPattern;
}

/** What a pattern gives a module; `fallback` where none matches (peft/utils/other.py, get_pattern_key). */
export function patternValue(patterns: NumberPattern, module: string, fallback: number): number {
  const found = patterns.find(([key]) => new RegExp(`^(?:.*\\.)?(?:${key})$`).test(module));
  return found ? found[1] : fallback;
}

/** @param text of adapter_config.json @throws UserError naming the key that is not honoured */
export function readPeftSettings(text: string): WrittenPeftSettings {
  let config: Record<string, unknown>;
  try {
    config = JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new UserError('adapter_config.json is not JSON. Export the adapter again.');
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw new UserError('adapter_config.json is not a JSON object. Export the adapter again.');
  const fail = (key: string, why: string): never => {
    throw new UserError(
      `adapter_config.json: ${key} is ${JSON.stringify(config[key] ?? null)}; ${why}. ${INSTEAD}`,
    );
  };
  if (config.peft_type !== 'LORA') fail('peft_type', 'only LORA adapters can be read');
  if (!Number.isInteger(config.r) || (config.r as number) < 1)
    fail('r', 'it must be a positive whole number');
  if (typeof config.lora_alpha !== 'number' || !(config.lora_alpha > 0))
    fail('lora_alpha', 'it must be a positive number');
  if (config.bias !== undefined && config.bias !== 'none') fail('bias', 'trained biases are not read');
  const pattern = (key: 'rank_pattern' | 'alpha_pattern'): NumberPattern => {
    const entries = Object.entries(isOff(config[key]) ? {} : (config[key] as Record<string, unknown>));
    for (const [module, value] of entries) {
      if (!SAFE_PATTERN.test(module) || module.split('.*').length > 4)
        fail(
          key,
          `of its keys names of modules are read, with \\. and \\d and up to three .* in them, not ${module}`,
        );
      if (typeof value !== 'number' || !(value > 0)) fail(key, 'its values must be positive numbers');
    }
    return entries as NumberPattern;
  };
  for (const key of ['modules_to_save', 'trainable_token_indices', 'layer_replication', 'target_parameters'])
    if (!isOff(config[key])) fail(key, 'only LoRA matrices are read');
  for (const key of ['lora_bias', 'fan_in_fan_out']) if (config[key] === true) fail(key, 'it must be false');
  const start = config.init_lora_weights;
  if (!PLAIN_STARTS.includes(start))
    fail(
      'init_lora_weights',
      'such an adapter belongs to a base model that PEFT changes while it loads it; save it with path_initial_model_for_weight_conversion, or merge it',
    );
  for (const key of Object.keys(config))
    if (!KNOWN.has(key) && !isOff(config[key]))
      fail(key, 'Finetab does not know this key, which may change what the adapter computes');
  return {
    r: config.r as number,
    lora_alpha: config.lora_alpha as number,
    lora_dropout: typeof config.lora_dropout === 'number' ? config.lora_dropout : 0,
    use_rslora: config.use_rslora === true,
    use_dora: config.use_dora === true,
    rank_pattern: pattern('rank_pattern'),
    alpha_pattern: pattern('alpha_pattern'),
    base_model_name_or_path:
      typeof config.base_model_name_or_path === 'string' ? config.base_model_name_or_path : null,
  };
}
