/**
 * Which modules get an adapter, each with its rank and scale, as PEFT decides it
 * (peft/tuners/tuners_utils.py).
 */
import { loraScale } from '../formats/loraScale.ts';
import { UserError } from '../lib/errors.ts';

/** A regular expression that the whole of a module's name matches, or names that it is or ends in. */
export type ModuleNames = string | readonly string[];

/** Which modules, under LoraConfig's names. */
export interface TargetSettings {
  /** 'all-linear', a regular expression, or names. */
  target_modules: ModuleNames;
  exclude_modules?: ModuleNames | null;
  /** Numbers of layers; only where target_modules is a list. */
  layers_to_transform?: number | readonly number[] | null;
  /** What a layer's number follows in names; null: any word. */
  layers_pattern?: ModuleNames | null;
}

/** LoRA settings that a graph depends on, under PEFT's names. */
export interface LoraShape extends TargetSettings {
  r: number;
  lora_alpha: number;
  /** Ranks and alphas of modules by regular expressions; the first that matches a name's end counts. */
  rank_pattern?: Readonly<Record<string, number>>;
  alpha_pattern?: Readonly<Record<string, number>>;
  lora_dropout: number;
  use_rslora: boolean;
  use_dora: boolean;
}

/** Rank and scale of a module's adapter. */
export function adapterOf(module: string, lora: LoraShape): { rank: number; scale: number } {
  const { rank_pattern = {}, alpha_pattern = {}, use_rslora } = lora;
  const r = byPattern(rank_pattern, module) ?? lora.r;
  const lora_alpha = byPattern(alpha_pattern, module) ?? lora.lora_alpha;
  return { rank: r, scale: loraScale({ r, lora_alpha, use_rslora }) };
}

/** peft.utils.other.get_pattern_key. */
function byPattern(pattern: Readonly<Record<string, number>>, module: string): number | undefined {
  return Object.entries(pattern).find(([key]) => expression(`(?:.*\\.)?(?:${key})`, key).test(module))?.[1];
}

/** Whether a module gets an adapter: check_target_module_exists. */
export function isTarget(module: string, settings: TargetSettings): boolean {
  const { target_modules, exclude_modules, layers_to_transform: layers, layers_pattern } = settings;
  if (exclude_modules && exclude_modules.length > 0 && isNamed(module, exclude_modules)) return false;
  if (target_modules === 'all-linear') return true;
  if (!isNamed(module, target_modules)) return false;
  if (typeof target_modules === 'string' || layers === undefined || layers === null) return true;
  const wanted = typeof layers === 'number' ? [layers] : layers;
  if (wanted.length === 0) return true;
  const words = !layers_pattern || layers_pattern.length === 0 ? ['[^.]*'] : [layers_pattern].flat();
  const found = words
    .map((word) => new RegExp(`^.*\\.${word}\\.(\\d+)\\.`).exec(module))
    .find((match) => match !== null);
  return found !== undefined && wanted.includes(Number(found[1]));
}

function isNamed(module: string, names: ModuleNames): boolean {
  return typeof names === 'string'
    ? expression(names, names).test(module)
    : names.some((name) => module === name || module.endsWith(`.${name}`));
}

/** Of a whole name. @param written what the message names @throws UserError where it is none */
function expression(text: string, written: string): RegExp {
  try {
    return new RegExp(`^(?:${text})$`);
  } catch {
    throw new UserError(
      `"${written}" of lora is no regular expression that can be read here. Check its brackets, or name modules in a list.`,
    );
  }
}

/**
 * @param modules linear layers of the model
 * @throws UserError naming an entry of target_modules or of a pattern that matches none of them
 */
export function checkTargets(modules: readonly string[], shape: LoraShape): void {
  const { target_modules, layers_to_transform, rank_pattern = {}, alpha_pattern = {} } = shape;
  const known = () => [...new Set(modules.map((module) => module.split('.').at(-1)))].join(', ');
  if (Array.isArray(target_modules)) {
    if (target_modules.length === 0)
      throw new UserError('lora.target_modules is empty: write "all-linear" or name at least one module.');
    for (const target of target_modules as readonly string[])
      if (!modules.some((module) => isNamed(module, [target])))
        throw new UserError(
          `lora.target_modules names "${target}", which this model does not have. Its linear layers are: ${known()}.`,
        );
  } else if (layers_to_transform !== undefined && layers_to_transform !== null)
    throw new UserError(
      'lora.layers_to_transform needs target_modules as a list of names, as in PEFT. Name the modules, or remove layers_to_transform.',
    );
  const targets = modules.filter((module) => isTarget(module, shape));
  if (targets.length === 0)
    throw new UserError(
      `lora.target_modules, exclude_modules and layers_to_transform leave no module to train. The model's linear layers are: ${known()}.`,
    );
  for (const [name, pattern] of Object.entries({ rank_pattern, alpha_pattern }))
    for (const [key, value] of Object.entries(pattern))
      if (!targets.some((module) => byPattern({ [key]: value }, module) !== undefined))
        throw new UserError(
          `lora.${name} names "${key}", which no trained module's name ends in. Remove it, or correct it.`,
        );
}
