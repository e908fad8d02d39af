/** Keys of transformers' TrainingArguments, which TRL and LLaMA-Factory read as they are, axolotl mostly. */
import type { Conversion } from './conversion.ts';

/** Keys that mean the same in ours. */
const SAME = [
  ...['num_train_epochs', 'max_steps', 'gradient_accumulation_steps', 'lr_scheduler_kwargs', 'warmup_ratio'],
  ...['weight_decay', 'max_grad_norm', 'seed', 'gradient_checkpointing', 'adam_beta1', 'adam_beta2'],
  ...['adam_epsilon', 'label_smoothing_factor', 'neftune_noise_alpha', 'group_by_length', 'save_strategy'],
  ...['save_total_limit', 'warmup_steps', 'loraplus_lr_ratio'],
];
const SAME_EVALUATION = ['greater_is_better', 'predict_with_generate'];

/** AdamW by other names, and with its state in 8 bits. */
const ADAMW = /^(adamw_(torch|hf|torch_fused|torch_xla|apex_fused|anyprecision)|optimi_adamw)$/;
const ROUNDED_ADAMW = /^((paged_)?adamw(_bnb)?_(8bit|32bit)|paged_adamw|ao_adamw_8bit|adamw_torch_8bit)$/;

/** What other optimisers and tricks are called. */
const OTHER_OPTIMIZERS = ['use_galore', 'use_apollo', 'use_badam', 'use_muon', 'use_adam_mini', 'relora'];

export interface ToolDefaults {
  learning_rate?: number;
  num_train_epochs: number;
  per_device_train_batch_size: number;
  lr_scheduler_type: string;
  logging_steps: number;
}

export function convertTrainingArguments(made: Conversion, defaults: ToolDefaults): void {
  made.move(
    'per_device_train_batch_size',
    'training.per_device_train_batch_size',
    defaults.per_device_train_batch_size,
  );
  made.move('learning_rate', 'training.learning_rate', defaults.learning_rate);
  made.move('lr_scheduler_type', 'training.lr_scheduler_type', defaults.lr_scheduler_type);
  made.move('logging_steps', 'training.logging_steps', defaults.logging_steps);
  // Ours warms up for a tenth of the steps and trains 3 epochs; theirs does as the tool does.
  made.put('training.num_train_epochs', defaults.num_train_epochs);
  made.put('training.warmup_ratio', 0);
  for (const key of SAME) made.move(key, `training.${key}`);
  for (const key of SAME_EVALUATION) made.move(key, `evaluation.${key}`);
  made.move('eval_on_start', 'evaluation.eval_on_start', false);
  made.move('resume_from_checkpoint', 'training.resume_from_checkpoint');
  const saves = made.take('save_steps');
  made.put('training.save_steps', saves ?? 500);
  convertOptimizer(made, 'optim');
  made.only('optim_args', [], 'arguments of other optimisers are not read. Remove it.');
  for (const key of OTHER_OPTIMIZERS) made.only(key, [], 'there is AdamW alone. Remove it.');
  convertEvaluation(made);
}

export function convertOptimizer(made: Conversion, key: string): void {
  const optimizer = made.take(key) ?? 'adamw_torch';
  if (typeof optimizer === 'string' && ROUNDED_ADAMW.test(optimizer))
    made.note(`"${key}" is ${optimizer}: AdamW is computed the same, with its state in float32.`);
  else if (typeof optimizer !== 'string' || !ADAMW.test(optimizer))
    made.refuse(
      `"${key}" is ${JSON.stringify(optimizer)}: there is AdamW alone. Write adamw_torch, or remove it.`,
    );
}

function convertEvaluation(made: Conversion): void {
  const strategy = made.take('eval_strategy') ?? made.take('evaluation_strategy') ?? 'no';
  made.put('evaluation.eval_strategy', strategy);
  const steps = made.take('eval_steps');
  if (typeof steps === 'number' && steps < 1)
    made.refuse(`"eval_steps" is ${steps}, a share of the run: write a number of steps.`);
  else if (steps !== undefined) made.put('evaluation.eval_steps', steps);
  made.move('load_best_model_at_end', 'evaluation.load_best_model_at_end', false);
  const metric = made.word('metric_for_best_model');
  const isKept = made.take('load_best_model_at_end') === true || made.has('early_stopping_patience');
  made.put('evaluation.early_stopping_patience', made.take('early_stopping_patience') ?? 0);
  made.move('early_stopping_threshold', 'evaluation.early_stopping_threshold');
  if (!isKept) return;
  if (metric === '' || metric === 'loss' || metric === 'eval_loss') made.bestByLoss();
  else made.put('evaluation.metric_for_best_model', `eval_${metric.replace(/^eval_/, '')}`);
}

/** Whether a name is a path of a data file, rather than a data set of the Hub. */
export function isDataFile(name: unknown): name is string {
  return typeof name === 'string' && /\.(jsonl?|ndjson|csv|tsv|parquet|txt|md)$/i.test(name);
}
