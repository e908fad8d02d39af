/** The recipe's `training`: keys of TrainingArguments and of TRL's configs. */
import * as v from 'valibot';
import { count, flag, positive, ratio, STRATEGIES, STRATEGY_FAULT, text } from './recipeValues.ts';
import { SCHEDULER_TYPES } from '../scheduleArguments.ts';

/** Of grpo, under the names of TRL's GRPOConfig. */
const reward = {
  /** Answers sampled to each prompt: their rewards are compared with each other. */
  num_generations: v.optional(count(2), 8),
  /** Steps that are made with the same answers. */
  num_iterations: v.optional(count(1), 1),
  /** Longest sampled answer in tokens. */
  max_completion_length: v.optional(count(1), 256),
  temperature: v.optional(
    v.literal(1, 'must be 1: answers are learned from by the probabilities that they were sampled with'),
    1,
  ),
  top_p: v.optional(v.pipe(ratio, v.minValue(1e-6, 'must be positive')), 1),
  /** How far the ratio to the model that sampled may move from 1. */
  epsilon: v.optional(positive, 0.2),
  /** Upwards; null: epsilon. */
  epsilon_high: v.optional(v.nullable(positive), null),
  /** What rewards less their mean are divided by: the deviation of the group, of the step, or nothing. */
  scale_rewards: v.optional(
    v.union(
      [v.picklist(['group', 'batch', 'none']), flag],
      'must be "group", "batch", "none", true or false',
    ),
    'group',
  ),
  /** Answers that max_completion_length cut off are not learned from. */
  mask_truncated_completions: v.optional(flag, false),
  /** Multiplies the divergence from the base by the ratio, as TRL does by itself. */
  use_bias_correction_kl: v.optional(flag, false),
};

const LOSS_TYPES = ['sigmoid', 'ipo', 'kto', 'apo_zero_unpaired', 'grpo', 'dr_grpo', 'dapo'] as const;

export const training = v.strictObject({
  num_train_epochs: v.optional(
    v.pipe(positive, v.minValue(1e-6, 'must be positive'), v.maxValue(1e6, 'must be at most 1000000')),
    3,
  ),
  max_steps: v.optional(
    v.pipe(
      v.number('must be a number'),
      v.integer('must be a whole number'),
      v.minValue(-1, 'must be -1 (none) or positive'),
      v.maxValue(1e9, 'must be at most 1000000000'),
    ),
    -1,
  ),
  per_device_train_batch_size: v.optional(count(1), 4),
  gradient_accumulation_steps: v.optional(count(1), 1),
  learning_rate: v.optional(positive, 2e-4),
  lr_scheduler_type: v.optional(
    v.picklist(SCHEDULER_TYPES, `must be one of ${SCHEDULER_TYPES.join(', ')}`),
    'cosine',
  ),
  /** What the schedule takes beside its steps, such as num_cycles. */
  lr_scheduler_kwargs: v.optional(
    v.record(text, v.union([v.number(), text], 'must be a number or text'), 'must be an object'),
    {},
  ),
  warmup_ratio: v.optional(ratio, 0.1),
  /** Below 1: a share of all steps. */
  warmup_steps: v.optional(
    v.pipe(
      positive,
      v.check((steps) => steps < 1 || Number.isInteger(steps), 'must be a share below 1 or a whole number'),
    ),
    0,
  ),
  weight_decay: v.optional(positive, 0),
  max_grad_norm: v.optional(positive, 1),
  loraplus_lr_ratio: v.optional(v.pipe(positive, v.minValue(1e-6, 'must be positive')), 1),
  seed: v.optional(
    v.pipe(
      v.number('must be a number'),
      v.integer('must be a whole number'),
      v.minValue(0, 'must be at least 0'),
      v.maxValue(0xffffffff, 'must be below 2^32'),
    ),
    42,
  ),
  /**
   * Of sft: per_device_train_batch_size counts bins of max_length tokens that rows are packed into, not rows.
   * Without it rows are packed too, which changes no result.
   */
  packing: v.optional(flag, false),
  packing_strategy: v.optional(
    v.literal('bfd', 'must be "bfd": rows are neither split nor wrapped into the next bin'),
    'bfd',
  ),
  gradient_checkpointing: v.optional(flag, true),
  /**
   * Not of TrainingArguments: how activations wait for the backward pass. e6m9 is 16 bits, which rounds
   * gradients; auto takes it where memory is short and arithmetic is rounded to float16 anyway.
   */
  activation_dtype: v.optional(
    v.picklist(['auto', 'float32', 'e6m9'], 'must be "auto", "float32" or "e6m9"'),
    'auto',
  ),
  /**
   * Not of TrainingArguments: how an output head of its own lies on the GPU. q8_0 is 8 bits, which rounds
   * logits; auto takes it only where gpu_memory_limit_gib cannot be kept otherwise.
   */
  head_dtype: v.optional(
    v.picklist(['auto', 'stored', 'q8_0'], 'must be "auto", "stored" or "q8_0"'),
    'auto',
  ),
  /**
   * Not of TrainingArguments: with gradient_checkpointing, only as much is recomputed as it takes to fit into
   * this; null: 2 GiB, more where the run needs it.
   */
  gpu_memory_limit_gib: v.optional(
    v.nullable(v.pipe(positive, v.minValue(0.001, 'must be at least 0.001'))),
    null,
  ),
  /**
   * Of the preference methods, under the names of TRL's DPOConfig, CPOConfig, ORPOConfig and KTOConfig. How
   * far the model may move from the reference, the weight of the odds term in ORPO, or that of the divergence
   * from the base in grpo, where it is 0 if nothing is said.
   */
  beta: v.optional(positive, 0.1),
  /** Share of pairs whose order is taken to be wrong (cDPO); dpo and simpo. */
  label_smoothing: v.optional(v.pipe(ratio, v.maxValue(0.5, 'must be at most 0.5')), 0),
  /** dpo: sigmoid or ipo. kto: kto or apo_zero_unpaired. grpo: dapo, grpo or dr_grpo. null: the first. */
  loss_type: v.optional(
    v.nullable(v.picklist(LOSS_TYPES, `must be null or one of ${LOSS_TYPES.join(', ')}`)),
    null,
  ),
  /** Target margin of simpo. */
  simpo_gamma: v.optional(positive, 0.5),
  /** Weights of wanted and unwanted answers; kto. */
  desirable_weight: v.optional(positive, 1),
  undesirable_weight: v.optional(positive, 1),
  /** Preference methods train without lora_dropout, as TRL does by default. */
  disable_dropout: v.optional(flag, true),
  ...reward,
  adam_beta1: v.optional(v.pipe(ratio, v.maxValue(0.9999999, 'must be below 1')), 0.9),
  adam_beta2: v.optional(v.pipe(ratio, v.maxValue(0.9999999, 'must be below 1')), 0.999),
  adam_epsilon: v.optional(v.pipe(positive, v.minValue(1e-30, 'must be positive')), 1e-8),
  /** Of sft: share of each label that is spread over the whole vocabulary; evaluations are without. */
  label_smoothing_factor: v.optional(v.pipe(ratio, v.maxValue(0.99, 'must be at most 0.99')), 0),
  /** NEFTune: noise on the embeddings while training; 5 to 15 are common. */
  neftune_noise_alpha: v.optional(
    v.nullable(v.pipe(positive, v.minValue(1e-6, 'must be positive, or null'))),
    null,
  ),
  /** Steps of rows of similar lengths. */
  group_by_length: v.optional(flag, false),
  logging_steps: v.optional(count(1), 1),
  /**
   * steps: every save_steps, or where that is 0 at every evaluation. epoch: at the end of each. A checkpoint
   * is taken once a minute as well, whatever is written here.
   */
  save_strategy: v.optional(v.picklist(STRATEGIES, STRATEGY_FAULT), 'steps'),
  save_steps: v.optional(count(0), 0),
  /** Checkpoints that are kept: two, of which the older takes over where the newer is damaged; 1: one. */
  save_total_limit: v.optional(v.nullable(count(1)), null),
  /** A run file (run.zip) to go on with. `npm run headless` takes it; the page, where it is dropped. */
  resume_from_checkpoint: v.optional(v.nullable(text), null),
  /** Of conversations every answer is learned from, and nothing else. */
  assistant_only_loss: v.optional(
    v.literal(
      true,
      'must be true: only answers are learned from, never prompts. For whole texts give rows of "text"',
    ),
    true,
  ),
});
