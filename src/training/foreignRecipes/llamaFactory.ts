/** Recipes of LLaMA-Factory. */
import type { Method } from '../preference/method.ts';
import type { Conversion } from './conversion.ts';
import { convertTrainingArguments, isDataFile } from './trainingArguments.ts';

const STAGES: Readonly<Record<string, Method>> = { sft: 'sft', pt: 'sft', dpo: 'dpo', kto: 'kto' };
const LOSSES: Readonly<Record<string, Method>> = { sigmoid: 'dpo', ipo: 'ipo', orpo: 'orpo', simpo: 'simpo' };

export function convertLlamaFactory(made: Conversion): void {
  made.move('model_name_or_path', 'model');
  convertMethod(made);
  convertData(made);
  convertTrainingArguments(made, {
    learning_rate: 5e-5,
    num_train_epochs: 3,
    per_device_train_batch_size: 8,
    lr_scheduler_type: 'linear',
    logging_steps: 500,
  });
  made.move('cutoff_len', 'max_length', 2048);
  if (made.take('disable_gradient_checkpointing') === true)
    made.put('training.gradient_checkpointing', false);
  made.only('train_on_prompt', [], 'prompts are never learned from. Write false.');
  made.move('mask_history', 'mask_history');
  if (made.take('packing') === true || made.take('neat_packing') === true) {
    made.put('training.packing', true);
    made.note(
      "Rows are packed by TRL's strategy bfd, and none sees another of its bin (as neat_packing has it); LLaMA-Factory fills its bins in another order.",
    );
  }
  made.take('neat_packing');
  made.only('rope_scaling', [], "the model's own rope is used. Remove it.");
  made.only('shift_attn', [], 'attention is not shifted. Remove it.');
  for (const key of ['resize_vocab', 'add_tokens', 'new_special_tokens'])
    made.only(key, [], 'tokens are not added to the model. Remove it.');
  for (const key of ['mixture_of_depths', 'use_dft_loss', 'use_asft_loss'])
    made.only(key, [], 'it is not computed here. Remove it.');
  convertLora(made);
}

function convertMethod(made: Conversion): void {
  const stage = made.word('stage') || 'sft';
  const isPairs = stage === 'dpo';
  const loss = made.word('pref_loss') || 'sigmoid';
  const method = isPairs ? LOSSES[loss] : STAGES[stage];
  if (!method)
    made.refuse(
      isPairs
        ? `"pref_loss" is "${loss}": there are ${Object.keys(LOSSES).join(', ')}.`
        : `"stage" is "${stage}": there are ${Object.keys(STAGES).join(', ')}.`,
    );
  made.put('method', method);
  if (stage !== 'sft' && stage !== 'pt') made.move('pref_beta', 'training.beta');
  made.move('dpo_label_smoothing', 'training.label_smoothing');
  if (method === 'simpo') made.move('simpo_gamma', 'training.simpo_gamma');
  made.only('pref_ftx', [0], 'the loss of chosen answers is not added. Remove it.');
  made.only('ref_model', [], 'the reference is the base model. Remove it.');
  made.move('kto_chosen_weight', 'training.desirable_weight');
  made.move('kto_rejected_weight', 'training.undesirable_weight');
}

function convertData(made: Conversion): void {
  made.put('train_file', filesOf(made, 'dataset'));
  made.put('validation_files', [filesOf(made, 'eval_dataset') ?? []].flat());
  made.take('dataset_dir');
  made.move('val_size', 'val_set_size');
  made.only('max_samples', [], 'a file is taken whole. Cut it yourself.');
  made.only('mix_strategy', ['concat'], 'write concat, and "mix_ratios" in a recipe of ours.');
  made.only('interleave_probs', [], 'write "mix_ratios" in a recipe of ours.');
  made.only('streaming', [], 'files are read whole. Remove it.');
  made.move('default_system', 'system_prompt');
  const template = made.take('template');
  if (template !== undefined)
    made.note(`template is ${JSON.stringify(template)}: the model's own chat template is used.`);
  made.only('tool_format', [], "the model's own template decides. Remove it.");
}

/** Files of a list of names with commas. Names of dataset_info.json are none. */
function filesOf(made: Conversion, key: string): string | string[] | undefined {
  const value = made.take(key);
  const names = (
    Array.isArray(value)
      ? (value as unknown[]).map(String)
      : typeof value === 'string'
        ? value.split(',')
        : []
  ).map((name) => name.trim());
  const files = names.filter(isDataFile);
  const others = names.filter((name) => !isDataFile(name));
  if (others.length > 0)
    made.note(`${key} names ${others.join(', ')}, of dataset_info.json: drop the files themselves.`);
  return files.length === 0 ? undefined : files.length === 1 && key === 'dataset' ? files[0] : files;
}

function convertLora(made: Conversion): void {
  made.only('finetuning_type', ['lora'], 'only adapters are trained. Write lora.');
  if (!made.has('finetuning_type')) made.note('finetuning_type is lora.');
  made.move('adapter_name_or_path', 'adapter_name_or_path');
  made.only('create_new_adapter', [], 'a run has one adapter. Remove it.');
  const rank = made.take('lora_rank') ?? 8;
  made.put('lora.r', rank);
  made.put('lora.lora_alpha', made.take('lora_alpha') ?? (typeof rank === 'number' ? 2 * rank : undefined));
  made.move('lora_dropout', 'lora.lora_dropout', 0);
  const target = made.take('lora_target') ?? 'all';
  const names = typeof target === 'string' ? target.split(',').map((name) => name.trim()) : target;
  made.put('lora.target_modules', target === 'all' ? 'all-linear' : names);
  made.move('use_rslora', 'lora.use_rslora');
  made.move('use_dora', 'lora.use_dora');
  for (const key of ['additional_target', 'pissa_init', 'freeze_trainable_layers', 'use_llama_pro'])
    made.only(key, [], 'it is not done here. Remove it.');
  const bits = made.take('quantization_bit');
  made.put('quantization', bits === undefined ? 'none' : 'nf4');
  made.only('quantization_bit', [4], 'weights are in NF4 or 16 bits. Write 4, or remove it.');
  made.only('quantization_method', ['bitsandbytes', 'bnb'], 'the only one is bitsandbytes, in NF4.');
  made.only('quantization_type', ['nf4'], 'the only one is nf4.');
  if (made.take('double_quantization') === false)
    made.note('double_quantization is false: the scales of NF4 blocks are quantised all the same.');
}
