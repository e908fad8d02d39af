/** What of a recipe decides a run of rewards (grpo), under TRL's names, and how many answers make a step. */
import type { Reward } from '../recipe/scoringRecipe.ts';
import { scoringFault } from '../recipe/scoringRecipe.ts';
import type { GrpoSettings } from '../preference/grpoObjective.ts';

/** The keys of a recipe that such a run reads. */
export interface RewardRecipe {
  method: string;
  max_length: number;
  rewards: readonly Reward[];
  training: {
    beta: number;
    loss_type: string | null;
    num_generations: number;
    num_iterations: number;
    max_completion_length: number;
    temperature: number;
    top_p: number;
    epsilon: number;
    epsilon_high: number | null;
    scale_rewards: 'group' | 'batch' | 'none' | boolean;
    mask_truncated_completions: boolean;
    use_bias_correction_kl: boolean;
    per_device_train_batch_size: number;
    gradient_accumulation_steps: number;
    neftune_noise_alpha?: number | null;
  };
}

/** As TRL counts them: per_device_train_batch_size and accumulation count answers. */
export function answersPerStep({ training }: Pick<RewardRecipe, 'training'>): number {
  return training.per_device_train_batch_size * training.gradient_accumulation_steps;
}

export function promptsPerStep(recipe: Pick<RewardRecipe, 'training'>): number {
  return answersPerStep(recipe) / recipe.training.num_generations;
}

export function grpoSettings({ training }: Pick<RewardRecipe, 'training'>): GrpoSettings {
  const { beta, epsilon, epsilon_high, max_completion_length, loss_type, use_bias_correction_kl } = training;
  return {
    beta,
    epsilon,
    epsilon_high,
    max_completion_length,
    use_bias_correction_kl,
    loss_type: (loss_type ?? 'dapo') as GrpoSettings['loss_type'],
  };
}

export type RewardScaling = 'group' | 'batch' | 'none';

/** true and false as TRL still reads them. */
export function scalingOf(scale_rewards: RewardRecipe['training']['scale_rewards']): RewardScaling {
  return scale_rewards === true ? 'group' : scale_rewards === false ? 'none' : scale_rewards;
}

/** Why a recipe's rewards do not fit its method; null where they do. */
export function rewardFault(recipe: RewardRecipe): string | null {
  const { method, rewards, max_length, training } = recipe;
  if (method !== 'grpo')
    return rewards.length > 0
      ? `"rewards" are named, which the method ${method} does not read. Set "method" to "grpo", or remove them.`
      : null;
  if (rewards.length === 0)
    return '"rewards" is empty: grpo learns from nothing else. Name one, such as {"type": "exact_match"}.';
  const { num_generations, max_completion_length, neftune_noise_alpha } = training;
  const answers = answersPerStep(recipe);
  if (answers % num_generations !== 0)
    return `a step has ${answers} answers (per_device_train_batch_size times gradient_accumulation_steps), which is no multiple of num_generations ${num_generations}. Set per_device_train_batch_size to a multiple of ${num_generations}.`;
  if (max_completion_length >= max_length)
    return `"training.max_completion_length" is ${max_completion_length} and "max_length" ${max_length}: no token is left for a prompt. Raise max_length.`;
  if (neftune_noise_alpha)
    return '"training.neftune_noise_alpha" is set, which grpo does not use: its answers are sampled without noise. Remove it.';
  return scoringFault('rewards', rewards);
}
