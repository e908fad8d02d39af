/** Recipes of axolotl. */
import type { Method } from '../preference/method.ts';
import type { Conversion } from './conversion.ts';
import { convertOptimizer, convertTrainingArguments, isDataFile } from './trainingArguments.ts';

const METHODS: Readonly<Record<string, Method>> = {
  dpo: 'dpo',
  ipo: 'ipo',
  simpo: 'simpo',
  orpo: 'orpo',
  kto: 'kto',
};
/** Types of rows, all of which are recognised by their keys. */
const ROW_TYPES =
  /^(alpaca|sharegpt|chat_template|completion|chatml|llama3|gpteacher|input_output|context_qa|load_qa|concisechoice|summarizetldr|jeopardy|oasst|explainchoice|reflection)([._:]\w+)*$/;

export function convertAxolotl(made: Conversion): void {
  made.move('base_model', 'model');
  convertMethod(made);
  convertData(made);
  made.move('sequence_len', 'max_length', 512);
  made.move('micro_batch_size', 'training.per_device_train_batch_size', 1);
  const batch = made.take('micro_batch_size') ?? 1;
  if (made.take('learning_rate') === undefined) made.refuse('It has no "learning_rate". Write one.');
  convertTrainingArguments(made, {
    num_train_epochs: 1,
    per_device_train_batch_size: Number(batch),
    lr_scheduler_type: 'cosine',
    logging_steps: 1,
  });
  made.move('num_epochs', 'training.num_train_epochs');
  convertRates(made);
  convertEvaluations(made);
  made.only('batch_size', [], 'write micro_batch_size and gradient_accumulation_steps.');
  made.only('train_on_inputs', [], 'prompts are never learned from. Write false.');
  if (made.take('sample_packing') === true) {
    made.put('training.packing', true);
    made.note(
      "Rows are packed by TRL's strategy bfd, and micro_batch_size counts packed rows; axolotl fills its bins in another order.",
    );
  }
  made.only('pretraining_dataset', [], 'drop the file of texts as training rows, and remove it.');
  if (made.take('shuffle_merged_datasets') === false)
    made.refuse('"shuffle_merged_datasets" is false: rows are always shuffled.');
  convertLora(made);
}

function convertMethod(made: Conversion): void {
  const rl = made.word('rl');
  const method = rl === '' ? 'sft' : METHODS[rl];
  if (method) made.put('method', method);
  else if (rl === 'grpo')
    made.refuse(
      '"rl" is grpo, whose rewards are Python: write a recipe with "method": "grpo" and "rewards".',
    );
  else made.refuse(`"rl" is ${JSON.stringify(rl)}: there are ${Object.keys(METHODS).join(', ')}.`);
  for (const key of ['rl_beta', 'dpo_beta', 'orpo_alpha', 'kto_beta']) made.move(key, 'training.beta');
  made.move('dpo_label_smoothing', 'training.label_smoothing');
  made.move('simpo_gamma', 'training.simpo_gamma');
  made.only('cpo_alpha', [0], 'SimPO here is without the loss of CPO. Write 0.');
  made.move('kto_desirable_weight', 'training.desirable_weight');
  made.move('kto_undesirable_weight', 'training.undesirable_weight');
  for (const key of ['reward_model', 'process_reward_model', 'trl'])
    made.only(key, [], 'it is not read here. Remove it.');
}

function convertRates(made: Conversion): void {
  made.move('lr_scheduler', 'training.lr_scheduler_type');
  const least = made.take('cosine_min_lr_ratio');
  if (least !== undefined) {
    made.put('training.lr_scheduler_type', 'cosine_with_min_lr');
    made.put('training.lr_scheduler_kwargs', { min_lr_rate: least });
  }
  made.only('cosine_constant_lr_ratio', [], 'a cosine that becomes constant is not computed. Remove it.');
  if (!made.has('warmup_steps', 'warmup_ratio')) {
    made.put('training.warmup_ratio', 0.03);
    made.note('It names no warm-up: 3 % of the steps, as axolotl has it (there at most 100 steps).');
  }
  if (made.has('optimizer')) convertOptimizer(made, 'optimizer');
}

function convertEvaluations(made: Conversion): void {
  const each = made.take('evals_per_epoch');
  if (each !== undefined) {
    made.put('evaluation.eval_strategy', each === 0 ? 'no' : 'epoch');
    if (Number(each) > 1)
      made.note(
        `evals_per_epoch is ${JSON.stringify(each)}: validation files are evaluated once an epoch. For more set eval_steps.`,
      );
  } else if (made.has('eval_steps')) made.put('evaluation.eval_strategy', 'steps');
  else if (!made.has('eval_strategy')) made.put('evaluation.eval_strategy', 'epoch');
  made.put('evaluation.eval_on_start', true);
}

function convertData(made: Conversion): void {
  made.move('val_set_size', 'val_set_size', 0);
  made.move('default_system_message', 'system_prompt');
  made.put('train_file', filesOf(made, 'datasets'));
  made.put('validation_files', filesOf(made, 'test_datasets'));
  const template = made.take('chat_template');
  if (template !== undefined && template !== 'tokenizer_default')
    made.note(`chat_template is ${JSON.stringify(template)}: the model's own template is used.`);
  made.only('tokens', [], 'tokens are not added to the model. Remove it.');
  if (made.take('special_tokens') !== undefined)
    made.note("special_tokens is not used: end and padding are the model's own.");
}

/** Keys of a data set that are read. */
const READ_OF_SETS = ['path', 'data_files', 'type', 'split', 'ds_type', 'name'];

/** The files of a list of data sets; others are named. */
function filesOf(made: Conversion, key: string): string[] | undefined {
  const sets = made.take(key);
  if (!Array.isArray(sets)) return undefined;
  const files: string[] = [];
  for (const each of sets as Record<string, unknown>[]) {
    const { path, data_files: inside, type, split } = each;
    const rest = Object.keys(each).filter((name) => !READ_OF_SETS.includes(name));
    const named: unknown[] = [inside ?? path].flat();
    if (named.every(isDataFile)) for (const file of named) files.push(file);
    else made.note(`The data set ${JSON.stringify(path)} is not downloaded: get its file and drop it.`);
    if (typeof type !== 'undefined' && !(typeof type === 'string' && ROW_TYPES.test(type)))
      made.note(
        `The rows of ${JSON.stringify(path)} are recognised by their keys, not by type ${JSON.stringify(type)}: look at them in the data section.`,
      );
    if (split !== undefined && split !== 'train')
      made.refuse(
        `"split" of ${JSON.stringify(path)} is ${JSON.stringify(split)}: a file is taken whole. Cut it yourself.`,
      );
    if (rest.length > 0)
      made.note(`Not understood of ${JSON.stringify(path)}, and not used: ${rest.join(', ')}.`);
  }
  return files.length > 0 ? files : undefined;
}

function convertLora(made: Conversion): void {
  const adapter = made.take('adapter');
  if (adapter !== 'lora' && adapter !== 'qlora')
    made.refuse(
      `"adapter" is ${JSON.stringify(adapter ?? null)}, which trains every weight: write lora or qlora.`,
    );
  made.only('load_in_8bit', [], 'weights are in NF4 or 16 bits. Write load_in_4bit, or neither.');
  made.put('quantization', adapter === 'qlora' || made.take('load_in_4bit') === true ? 'nf4' : 'none');
  made.take('load_in_4bit');
  made.move('lora_model_dir', 'adapter_name_or_path');
  made.move('lora_r', 'lora.r', 8);
  made.move('lora_alpha', 'lora.lora_alpha', 16);
  made.move('lora_dropout', 'lora.lora_dropout', 0);
  made.move('peft_use_dora', 'lora.use_dora');
  made.move('peft_use_rslora', 'lora.use_rslora');
  made.move('peft_init_lora_weights', 'lora.init_lora_weights');
  made.move('peft_layers_to_transform', 'lora.layers_to_transform');
  made.move('peft_layers_pattern', 'lora.layers_pattern');
  const modules = made.take('lora_target_modules');
  if (made.take('lora_target_linear') === true) {
    made.put('lora.target_modules', 'all-linear');
    if (modules !== undefined)
      made.note(
        'lora_target_linear is true: every linear layer is adapted, those of lora_target_modules among them.',
      );
  } else if (modules === undefined)
    made.refuse('It names neither "lora_target_linear" nor "lora_target_modules". Write one.');
  else made.put('lora.target_modules', modules);
  made.only('lora_modules_to_save', [], 'only adapters are trained. Remove it.');
  made.only('unfrozen_parameters', [], 'only adapters are trained. Remove it.');
  made.only('gptq', [], 'weights of GPTQ are not read. Remove it.');
}
