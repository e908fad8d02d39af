/** What a recipe and the lengths of its rows ask of an engine: T, the adapter, and the memory to fit into. */
import { chooseTokensPerMicroBatch } from '../data/packing.ts';
import { largest } from '../lib/extremes.ts';
import type { TensorInfo, WeightSource } from '../formats/tensors.ts';
import type { KernelRequest } from '../tuning/kernelChoice.ts';
import type { Checkpointing } from '../plan/autodiff.ts';
import type { ActivationDtype, GenerationSize, LoraSettings, MemoryAim } from './engine.ts';
import type { HeadDtype } from './headDtype.ts';
import type { TrainingSettings } from './trainingSettings.ts';

/** The keys of a recipe that decide T and memory, under the recipe's own names. */
export interface MemoryRecipe {
  max_length: number;
  lora: LoraSettings;
  training: {
    per_device_train_batch_size: number;
    /** Decides the order of the rows. */
    seed: number;
    gradient_checkpointing: boolean;
    activation_dtype: ActivationDtype;
    head_dtype: HeadDtype;
    /** null: the default aim, which may be exceeded. */
    gpu_memory_limit_gib: number | null;
  } & TrainingSettings;
  evaluation: { predict_with_generate: boolean; eval_max_samples: number; max_new_tokens: number };
}

/** A run as far as it decides what its engine is. */
export interface RunDemand {
  recipe: MemoryRecipe;
  /** Two where a row is a pair of answers, the mean where rows are packed into examples; 1 where absent. */
  documentsPerExample?: number;
  /** Tokens of each training row, with those that are sampled behind it. */
  trainLengths: Uint32Array;
  /** How many answers are sampled at once while training; none where absent. */
  sampledAtOnce?: number;
  /** Tokens of the longest row over all validation files; 0 without one. */
  longestValidation: number;
  kernels: KernelRequest;
}

/** What an engine is planned from. */
export interface EngineRequest {
  /** The model's config.json. */
  config: Record<string, unknown>;
  tensors: ReadonlyMap<string, TensorInfo>;
  lora: LoraSettings;
  settings?: TrainingSettings;
  tokensPerMicroBatch: number;
  gradientCheckpointing: boolean | Checkpointing;
  activationDtype?: ActivationDtype;
  headDtype?: HeadDtype;
  memoryAim: MemoryAim;
  kernels: KernelRequest;
}

/** T is a multiple of this. */
const TOKENS_MULTIPLE = 32;

/** T: as many tokens as suit the training rows, and no fewer than the longest row of any file has. */
export function wantedTokensPerMicroBatch({
  recipe,
  trainLengths,
  longestValidation,
  documentsPerExample = 1,
}: RunDemand): number {
  const training = chooseTokensPerMicroBatch(trainLengths, {
    seed: recipe.training.seed,
    examplesPerBatch: Math.ceil(recipe.training.per_device_train_batch_size * documentsPerExample),
    limit: recipe.max_length,
  });
  return Math.max(training, roundUp(longestValidation));
}

export function engineRequest(run: RunDemand, { config, tensors }: WeightSource): EngineRequest {
  const { recipe, trainLengths, longestValidation, sampledAtOnce, kernels } = run;
  const { gradient_checkpointing, activation_dtype, head_dtype, gpu_memory_limit_gib } = recipe.training;
  const { predict_with_generate, eval_max_samples, max_new_tokens } = recipe.evaluation;
  const longest = largest(trainLengths, longestValidation);
  return {
    config,
    tensors,
    lora: recipe.lora,
    settings: settingsOf(recipe.training),
    tokensPerMicroBatch: wantedTokensPerMicroBatch(run),
    gradientCheckpointing: gradient_checkpointing,
    activationDtype: activation_dtype,
    headDtype: head_dtype,
    memoryAim: {
      limitBytes: gpu_memory_limit_gib === null ? null : gpu_memory_limit_gib * 2 ** 30,
      leastTokens: roundUp(longest),
      generation: largestOf([
        predict_with_generate && longestValidation > 0
          ? { slots: eval_max_samples, maxLength: longestValidation + max_new_tokens }
          : null,
        sampledAtOnce ? { slots: sampledAtOnce, maxLength: largest(trainLengths, 0) } : null,
      ]),
    },
    kernels,
  };
}

/** The KV cache that holds each of these. */
function largestOf(sizes: readonly (GenerationSize | null)[]): GenerationSize | undefined {
  const all = sizes.filter((size) => size !== null);
  if (all.length === 0) return undefined;
  return {
    slots: largest(all.map(({ slots }) => slots)),
    maxLength: largest(all.map(({ maxLength }) => maxLength)),
  };
}

function settingsOf({
  adam_beta1,
  adam_beta2,
  adam_epsilon,
  label_smoothing_factor,
  neftune_noise_alpha,
}: TrainingSettings): TrainingSettings {
  return { adam_beta1, adam_beta2, adam_epsilon, label_smoothing_factor, neftune_noise_alpha };
}

function roundUp(tokens: number): number {
  return Math.ceil(tokens / TOKENS_MULTIPLE) * TOKENS_MULTIPLE;
}
