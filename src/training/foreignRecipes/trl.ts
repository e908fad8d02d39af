/** Recipes of TRL: the keys of its configs, of ModelConfig and of ScriptArguments. */
import type { Method } from '../preference/method.ts';
import type { Conversion } from './conversion.ts';
import { convertTrainingArguments, isDataFile } from './trainingArguments.ts';

/** Keys that the configs of preference methods and of grpo have under the names that ours have. */
const OF_METHODS = [
  ...['beta', 'label_smoothing', 'simpo_gamma', 'desirable_weight', 'undesirable_weight', 'disable_dropout'],
  ...[
    'num_generations',
    'num_iterations',
    'temperature',
    'top_p',
    'epsilon',
    'epsilon_high',
    'scale_rewards',
  ],
  ...['mask_truncated_completions'],
];
const GRPO_KEYS = ['num_generations', 'num_iterations', 'reward_funcs', 'scale_rewards', 'epsilon'];
const PAIR_LOSSES = ['sigmoid', 'ipo', 'simpo'];

/** Of version 1.16. */
export function convertTrl(made: Conversion): void {
  const method = methodOf(made);
  made.put('method', method);
  made.move('model_name_or_path', 'model');
  convertData(made);
  convertTrainingArguments(made, {
    learning_rate: method === 'sft' ? 2e-5 : 1e-6,
    num_train_epochs: 3,
    per_device_train_batch_size: 8,
    lr_scheduler_type: 'linear',
    logging_steps: 10,
  });
  for (const key of OF_METHODS) made.move(key, `training.${key}`);
  if (method === 'grpo') {
    made.move('beta', 'training.beta', 0);
    made.move('use_bias_correction_kl', 'training.use_bias_correction_kl', true);
  }
  if (method === 'dpo' && made.take('label_smoothing')) {
    made.put('training.label_smoothing', 0);
    made.note(
      'label_smoothing is not used, as TRL does not use it for sigmoid and ipo: cDPO is a recipe of ours.',
    );
  }
  // A length of null is none; the longest that a recipe can have is longer than any model's.
  made.put('max_length', made.take('max_length') ?? 1024);
  if (method === 'grpo') made.move('max_completion_length', 'training.max_completion_length', 512);
  else
    made.only('max_completion_length', [], 'answers are cut with their prompts, by max_length. Remove it.');
  made.only('max_prompt_length', [], 'prompts are not cut by themselves. Remove it.');
  made.only('truncation_mode', ['keep_start'], 'rows are cut at their end. Write keep_start.');
  if (method === 'sft') convertSft(made);
  convertLora(made);
}

/** A file of TRL does not say which script reads it. */
function methodOf(made: Conversion): Method {
  const said = made.take('method');
  if (typeof said === 'string') {
    made.move('loss_type', 'training.loss_type');
    return said as Method;
  }
  const types = made.take('loss_type');
  const [type, ...more] = Array.isArray(types) ? (types as unknown[]) : [types];
  if (more.length > 0 || made.has('loss_weights'))
    made.refuse(`"loss_type" names ${more.length + 1} losses: a run has one.`);
  made.take('loss_weights');
  if (made.has(...GRPO_KEYS)) {
    made.put('training.loss_type', type);
    made.only('reward_funcs', [], 'reward functions are Python: write "rewards" as the README has them.');
    made.move('rewards', 'rewards');
    return 'grpo';
  }
  if (type === 'simpo' || made.has('simpo_gamma')) {
    made.only('cpo_alpha', [0], 'SimPO here is without the loss of CPO. Write 0.');
    return 'simpo';
  }
  if (type === 'kto' || type === 'apo_zero_unpaired' || made.has('desirable_weight', 'undesirable_weight')) {
    made.put('training.loss_type', type);
    return 'kto';
  }
  if (typeof type === 'string' && PAIR_LOSSES.includes(type)) {
    made.put('training.loss_type', type);
    return 'dpo';
  }
  if (made.has('beta'))
    made.refuse('"beta" is of DPO, ORPO and KTO, and the file does not say which: add a line method: dpo.');
  if (type !== undefined && type !== 'nll' && type !== 'chunked_nll')
    made.refuse(
      `"loss_type" is ${JSON.stringify(type)}: there are sft, dpo, ipo, simpo, orpo, kto and grpo.`,
    );
  return 'sft';
}

function convertSft(made: Conversion): void {
  made.move('packing', 'training.packing');
  made.only(
    'packing_strategy',
    made.take('packing') === true ? ['bfd'] : ['bfd', 'bfd_split', 'wrapped'],
    'rows are packed by bfd. Write bfd.',
  );
  if (made.take('assistant_only_loss') !== true)
    made.note(
      'Of conversations only the answers are learned from (assistant_only_loss: true); TRL learns from prompts too where this is not set.',
    );
  if (made.take('completion_only_loss') === false)
    made.refuse(
      '"completion_only_loss" is false: prompts are never learned from. Give rows of "text" instead.',
    );
  for (const key of ['eos_token', 'chat_template_path'])
    made.only(key, [], "the model's own template and end token are used. Remove it.");
  made.take('pad_token');
}

function convertData(made: Conversion): void {
  const name = made.take('dataset_name');
  if (isDataFile(name)) made.put('train_file', name);
  else if (name !== undefined)
    made.note(
      `The data set ${JSON.stringify(name)} is not downloaded: get its file and drop it as training rows.`,
    );
  made.only('dataset_train_split', ['train'], 'a file is trained whole. Cut it yourself.');
  made.take('dataset_test_split');
  made.take('dataset_streaming');
  made.only(
    'datasets',
    [],
    'mixtures of data sets are not read: write train_file and mix_ratios. Remove it.',
  );
  made.move('train_file', 'train_file');
  made.move('validation_files', 'validation_files');
  made.only('streaming', [], 'files are read whole. Remove it.');
}

function convertLora(made: Conversion): void {
  const names = [
    'lora_r',
    'lora_alpha',
    'lora_dropout',
    'lora_target_modules',
    'use_peft',
    'use_dora',
    'use_rslora',
  ];
  if (!made.has(...names)) {
    made.note('It names no adapter (lora_r, …): r 16, lora_alpha 32 on every linear layer are used.');
  } else if (made.take('use_peft') !== true) {
    made.refuse('"use_peft" is not true, which trains every weight: only adapters are trained here.');
  } else {
    made.move('lora_r', 'lora.r', 16);
    made.move('lora_alpha', 'lora.lora_alpha', 32);
    made.move('lora_dropout', 'lora.lora_dropout', 0.05);
    made.move('use_rslora', 'lora.use_rslora');
    made.move('use_dora', 'lora.use_dora');
    const targets = made.take('lora_target_modules');
    made.put('lora.target_modules', targets ?? ['q_proj', 'v_proj']);
    if (targets === undefined)
      made.note(
        'lora_target_modules is not given: q_proj and v_proj are adapted, as PEFT does for most models.',
      );
  }
  made.only('lora_modules_to_save', [], 'only adapters are trained. Remove it.');
  made.only('lora_target_parameters', [], 'only linear layers are adapted. Remove it.');
  made.only('load_in_8bit', [], 'weights are in NF4 or 16 bits. Write load_in_4bit, or neither.');
  made.only('bnb_4bit_quant_type', ['nf4'], 'the only 4-bit type is nf4.');
  const isNf4 = made.take('load_in_4bit') === true;
  made.put('quantization', isNf4 ? 'nf4' : 'none');
  if (made.take('use_bnb_nested_quant') !== true && isNf4)
    made.note(
      'The scales of NF4 blocks are quantised too (use_bnb_nested_quant), which this recipe does not ask for.',
    );
}
