/** Where settings and terms are explained at length: documentation of the libraries whose names they have. */
import type { Messages } from '../language/messages.svelte.ts';

const HUGGING_FACE = 'https://huggingface.co/docs';
const training = (key: string) =>
  `${HUGGING_FACE}/transformers/main_classes/trainer#transformers.TrainingArguments.${key}`;
const generation = (key: string) =>
  `${HUGGING_FACE}/transformers/main_classes/text_generation#transformers.GenerationConfig.${key}`;
const lora = (key: string) => `${HUGGING_FACE}/peft/package_reference/lora#peft.LoraConfig.${key}`;
const trl = (trainer: 'sft' | 'dpo' | 'kto' | 'grpo', key: string) =>
  `${HUGGING_FACE}/trl/${trainer}_trainer#trl.${trainer.toUpperCase()}Config.${key}`;
const arxiv = (id: string) => `https://arxiv.org/abs/${id}`;
const MEMORY = `${HUGGING_FACE}/transformers/model_memory_anatomy`;
const EVALUATE = 'https://huggingface.co/spaces/evaluate-metric';

/** Those with a field of their own form, and all others. */
type Setting = keyof Messages['recipeHelp'] | 'metric_for_best_model' | 'early_stopping_patience';

/** Of every setting of the recipe that the page shows. */
export const SETTING_SOURCES: Record<Setting, string> = {
  system_prompt: `${HUGGING_FACE}/transformers/chat_templating`,
  metric_for_best_model: training('metric_for_best_model'),
  early_stopping_patience: `${HUGGING_FACE}/transformers/main_classes/callback#transformers.EarlyStoppingCallback`,
  num_train_epochs: training('num_train_epochs'),
  learning_rate: training('learning_rate'),
  per_device_train_batch_size: training('per_device_train_batch_size'),
  r: lora('r'),
  lora_alpha: lora('lora_alpha'),
  max_length: trl('sft', 'max_length'),
  method: `${HUGGING_FACE}/trl/index`,
  // QLoRA.
  quantization: arxiv('2305.14314'),
  date_string: `${HUGGING_FACE}/transformers/chat_templating_writing`,
  mask_history: `${HUGGING_FACE}/trl/sft_trainer#train-on-assistant-messages-only`,
  lora_dropout: lora('lora_dropout'),
  use_dora: arxiv('2402.09353'),
  use_rslora: arxiv('2312.03732'),
  eval_strategy: training('eval_strategy'),
  eval_steps: training('eval_steps'),
  predict_with_generate: `${HUGGING_FACE}/transformers/main_classes/trainer#transformers.Seq2SeqTrainingArguments.predict_with_generate`,
  eval_max_samples: `${HUGGING_FACE}/evaluate/index`,
  max_new_tokens: generation('max_new_tokens'),
  do_sample: generation('do_sample'),
  temperature: generation('temperature'),
  top_p: generation('top_p'),
  early_stopping_threshold: `${HUGGING_FACE}/transformers/main_classes/callback#transformers.EarlyStoppingCallback`,
  load_best_model_at_end: training('load_best_model_at_end'),
  eval_on_start: training('eval_on_start'),
  // Of forgetting in continual fine-tuning.
  forgetting_threshold: arxiv('2308.08747'),
  beta: trl('dpo', 'beta'),
  label_smoothing: trl('dpo', 'label_smoothing'),
  simpo_gamma: `${HUGGING_FACE}/trl/cpo_trainer#trl.experimental.cpo.CPOConfig.simpo_gamma`,
  desirable_weight: trl('kto', 'desirable_weight'),
  undesirable_weight: trl('kto', 'undesirable_weight'),
  num_generations: trl('grpo', 'num_generations'),
  max_completion_length: trl('grpo', 'max_completion_length'),
  num_iterations: trl('grpo', 'num_iterations'),
  epsilon: trl('grpo', 'epsilon'),
  scale_rewards: trl('grpo', 'scale_rewards'),
  mask_truncated_completions: trl('grpo', 'mask_truncated_completions'),
  use_bias_correction_kl: trl('grpo', 'use_bias_correction_kl'),
  packing: trl('sft', 'packing'),
  max_steps: training('max_steps'),
  gradient_accumulation_steps: training('gradient_accumulation_steps'),
  lr_scheduler_type: training('lr_scheduler_type'),
  // transformers 5 has no warmup_ratio: its warmup_steps may be a share.
  warmup_ratio: training('warmup_steps'),
  warmup_steps: training('warmup_steps'),
  weight_decay: training('weight_decay'),
  max_grad_norm: training('max_grad_norm'),
  loraplus_lr_ratio: arxiv('2402.12354'),
  adam_beta1: training('adam_beta1'),
  adam_beta2: training('adam_beta2'),
  adam_epsilon: training('adam_epsilon'),
  label_smoothing_factor: training('label_smoothing_factor'),
  neftune_noise_alpha: arxiv('2310.05914'),
  // As transformers 5 calls it.
  group_by_length: training('train_sampling_strategy'),
  seed: training('seed'),
  gradient_checkpointing: training('gradient_checkpointing'),
  activation_dtype: MEMORY,
  head_dtype: MEMORY,
  gpu_memory_limit_gib: MEMORY,
};

/** Of terms and figures, by their keys in the page's texts; null where there is no more to read. */
export const TERM_SOURCES: Record<keyof Messages['explain']['terms'], string | null> = {
  masks: `${HUGGING_FACE}/trl/sft_trainer#train-on-assistant-messages-only`,
  chatTemplate: `${HUGGING_FACE}/transformers/chat_templating`,
  rows: `${HUGGING_FACE}/trl/dataset_formats`,
  tokens: `${HUGGING_FACE}/transformers/tokenizer_summary`,
  learnedFrom: `${HUGGING_FACE}/trl/sft_trainer#train-on-assistant-messages-only`,
  longest: null,
  truncated: trl('sft', 'max_length'),
  repeated: arxiv('2107.06499'),
  leftOut: null,
  loss: `${HUGGING_FACE}/transformers/perplexity`,
  gradNorm: training('max_grad_norm'),
  learningRate: training('lr_scheduler_type'),
  speed: null,
  step: training('gradient_accumulation_steps'),
  savedAt: null,
  perplexity: `${HUGGING_FACE}/transformers/perplexity`,
  tokenAccuracy: null,
  rouge: `${EVALUATE}/rouge`,
  bleu: `${EVALUATE}/sacrebleu`,
  chrf: `${EVALUATE}/chrf`,
  exactMatch: `${EVALUATE}/exact_match`,
  lengths: null,
  stopped: null,
  preferences: `${HUGGING_FACE}/trl/dpo_trainer#logged-metrics`,
  forgets: arxiv('2308.08747'),
  weights: arxiv('2305.14314'),
  adapter: arxiv('2106.09685'),
  optimizer: MEMORY,
  activations: MEMORY,
  kvCache: `${HUGGING_FACE}/transformers/kv_cache`,
  batch: null,
  adapterScale: arxiv('2106.09685'),
};

/** Whose page a source is, as a link says it. */
export function sourceName(address: string): string {
  const { hostname, pathname } = new URL(address);
  if (hostname === 'arxiv.org') return 'arXiv';
  const name = pathname.split('/')[2];
  return { peft: 'PEFT', trl: 'TRL', 'evaluate-metric': 'evaluate' }[name] ?? name;
}
