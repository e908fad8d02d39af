/** A recipe's method, and the settings that it reads. */
import type { PreferenceReading } from '../../data/rows/encoding/rowDocuments.ts';
import type { KtoSettings } from './ktoLoss.ts';
import type { PairMethod, PairSettings } from './pairLosses.ts';
import { rewardFault, type RewardRecipe } from '../reward/rewardSettings.ts';

export const METHODS = ['sft', 'dpo', 'ipo', 'simpo', 'orpo', 'kto', 'grpo'] as const;
export type Method = (typeof METHODS)[number];

/** The keys of a recipe that decide how preferences are learned. */
export interface MethodRecipe extends RewardRecipe {
  method: Method;
  mix_ratios: Readonly<Record<string, number>>;
  lora: { lora_dropout: number };
  training: RewardRecipe['training'] &
    PairSettings &
    KtoSettings & { disable_dropout: boolean; label_smoothing_factor: number; packing: boolean };
}

/** What a run does with preferences. */
export type PreferenceSettings =
  | ({ kind: 'pairs'; method: PairMethod } & PairSettings)
  | ({ kind: 'labels'; usesReferencePoint: boolean } & KtoSettings);

/** @returns null for methods that learn from no preferences */
export function preferenceSettings({ method, training }: MethodRecipe): PreferenceSettings | null {
  const { beta, label_smoothing, simpo_gamma, desirable_weight, undesirable_weight, loss_type } = training;
  switch (method) {
    case 'sft':
    case 'grpo':
      return null;
    case 'kto':
      return {
        kind: 'labels',
        usesReferencePoint: loss_type !== 'apo_zero_unpaired',
        beta,
        desirable_weight,
        undesirable_weight,
      };
    case 'dpo':
    case 'ipo':
    case 'simpo':
    case 'orpo': {
      const isIpo = method === 'dpo' && loss_type === 'ipo';
      return { kind: 'pairs', method: isIpo ? 'ipo' : method, beta, label_smoothing, simpo_gamma };
    }
  }
}

/** How the rows of a file are read for a method. @param only whether other rows are refused */
export function preferenceReading(
  { method, training }: Pick<MethodRecipe, 'method' | 'training'>,
  only: boolean,
): PreferenceReading | undefined {
  if (method === 'sft') return undefined;
  if (method === 'grpo') return { as: 'prompts', only, answerTokens: training.max_completion_length };
  return { as: method === 'kto' ? 'labels' : 'pairs', only };
}

/** Documents that make one example: a pair has two answers. */
export function documentsPerExample(method: Method): 1 | 2 {
  return method === 'sft' || method === 'kto' || method === 'grpo' ? 1 : 2;
}

/** The settings of the adapter that a run trains with: preference methods and grpo drop nothing. */
export function loraOfMethod<Lora extends { lora_dropout: number }>({
  method,
  lora,
}: {
  method: Method;
  lora: Lora;
}): Lora {
  return method === 'sft' ? lora : { ...lora, lora_dropout: 0 };
}

/** Keys of `training` that only some methods read, with their defaults. */
const KEYS: { key: keyof MethodRecipe['training']; of: readonly Method[]; unset: unknown }[] = [
  { key: 'beta', of: ['dpo', 'ipo', 'simpo', 'orpo', 'kto', 'grpo'], unset: 0.1 },
  { key: 'label_smoothing', of: ['dpo', 'simpo'], unset: 0 },
  { key: 'loss_type', of: ['dpo', 'kto', 'grpo'], unset: null },
  { key: 'simpo_gamma', of: ['simpo'], unset: 0.5 },
  { key: 'desirable_weight', of: ['kto'], unset: 1 },
  { key: 'undesirable_weight', of: ['kto'], unset: 1 },
  { key: 'label_smoothing_factor', of: ['sft'], unset: 0 },
  { key: 'packing', of: ['sft'], unset: false },
  { key: 'num_generations', of: ['grpo'], unset: 8 },
  { key: 'num_iterations', of: ['grpo'], unset: 1 },
  { key: 'max_completion_length', of: ['grpo'], unset: 256 },
  { key: 'temperature', of: ['grpo'], unset: 1 },
  { key: 'top_p', of: ['grpo'], unset: 1 },
  { key: 'epsilon', of: ['grpo'], unset: 0.2 },
  { key: 'epsilon_high', of: ['grpo'], unset: null },
  { key: 'scale_rewards', of: ['grpo'], unset: 'group' },
  { key: 'mask_truncated_completions', of: ['grpo'], unset: false },
  { key: 'use_bias_correction_kl', of: ['grpo'], unset: false },
];

/** Values of `loss_type`, the first of which is meant where it is null. */
const LOSS_TYPES: Partial<Record<Method, readonly string[]>> = {
  dpo: ['sigmoid', 'ipo'],
  kto: ['kto', 'apo_zero_unpaired'],
  grpo: ['dapo', 'grpo', 'dr_grpo'],
};

/** Why a recipe's keys do not fit its method; null where they do. */
export function methodFault(recipe: MethodRecipe): string | null {
  const { method, training, lora } = recipe;
  for (const { key, of, unset } of KEYS)
    if (!of.includes(method) && training[key] !== unset)
      return `"training.${key}" is ${JSON.stringify(training[key])}, which the method ${method} does not read (${of.join(', ')} ${of.length === 1 ? 'does' : 'do'}). Remove it, or change "method".`;
  if (Object.keys(recipe.mix_ratios).length > 0 && (method !== 'sft' || training.packing))
    return '"mix_ratios" is of the method sft without "packing". Remove it.';
  const { loss_type, label_smoothing } = training;
  const types = LOSS_TYPES[method] ?? [];
  if (loss_type !== null && !types.includes(loss_type))
    return `"training.loss_type" is "${loss_type}": the method ${method} has ${types.join(' and ')}.`;
  if (loss_type === 'ipo' && label_smoothing > 0)
    return '"training.label_smoothing" is set, which the loss ipo does not have. Remove it.';
  if (method !== 'sft' && !training.disable_dropout && lora.lora_dropout > 0)
    return '"training.disable_dropout" is false: preference methods train without dropout. Set it to true, or lora.lora_dropout to 0.';
  if (training.beta === 0 && method !== 'grpo' && method !== 'sft')
    return `"training.beta" is 0, with which ${method} learns nothing. Raise it; 0.1 is usual.`;
  if (method === 'kto' && loss_type !== 'apo_zero_unpaired' && training.per_device_train_batch_size < 2)
    return '"training.per_device_train_batch_size" is 1: kto compares the answers of a batch and needs 2 or more. Raise it, or set loss_type to "apo_zero_unpaired".';
  return rewardFault(recipe);
}
