/**
 * One conversion of another tool's recipe: values move from its keys to ours, what cannot be done is refused
 * by name, and what was not understood is named.
 */
import { validationSetName } from '../../data/files/fileNames.ts';
import { HELD_OUT } from '../../data/rows/rowSelection.ts';
import { UserError } from '../../lib/errors.ts';

export type Found = Readonly<Record<string, unknown>>;

/** Keys of every tool that say where and how fast to compute, or what to print, but not what is learned. */
const HARMLESS =
  /^(output_dir|overwrite_output_dir|do_(train|eval|predict)|report_to|run_name|logging_.*|log_.*|plot_loss|include_.*|disable_tqdm|wandb.*|use_(wandb|mlflow|comet|tensorboard|swanlab)|swanlab_.*|mlflow_.*|comet_.*|hub_.*|push_to_hub|bf16.*|bfloat16|fp16.*|float16|tf32|half_precision_backend|pure_bf16|upcast_.*|dtype|torch_dtype|infer_dtype|dataloader_.*|dataset_num_proc|dataset_processes|preprocessing_.*|overwrite_cache|cache_dir|tokenized_path|dataset_prepared_path|trust_remote_code|ddp_.*|local_rank|deepspeed|fsdp.*|ray_.*|accelerator_config|torch_compile.*|flash_attn|flash_attention|attn_.*|(xformers|sdp|s2|eager|flex)_attention|use_cache|use_liger.*|enable_liger_kernel|liger_.*|use_unsloth.*|unsloth_.*|lora_(mlp|qkv|o)_kernel|lora_on_cpu|gradient_checkpointing_kwargs|pad_to_(sequence_len|multiple_of)|padding_free|remove_unused_columns|per_device_eval_batch_size|eval_batch_size|eval_accumulation_steps|eval_sample_packing|eval_packing|save_(safetensors|only_model|on_each_node)|strict|debug|gc_steps|profiler_.*|data_seed|hf_use_auth_token|hf_hub_token|model_type|tokenizer_type|is_(llama|mistral|qwen)_derived_model|low_cpu_mem_usage|use_fast_tokenizer|lora_task_type|precompute_ref_log_probs|generate_during_eval|bnb_4bit_quant_storage|optim_target_modules|average_tokens_across_devices|loss_watchdog_.*|plugins|nproc.*|vllm_.*|use_vllm|saves_per_epoch|skip_memory_metrics|auto_find_batch_size|lora_fan_in_fan_out|model_revision|revision_of_model)$/;

export class Conversion {
  private readonly recipe: Record<string, unknown> = { system_prompt: null };
  private readonly notes: string[] = [];
  private readonly faults: string[] = [];
  private readonly read = new Set<string>();

  constructor(
    readonly tool: string,
    private readonly found: Found,
  ) {}

  /** The value of a key; undefined where it is absent, null or empty. */
  take(key: string): unknown {
    this.read.add(key);
    const value = this.found[key];
    return value === null || value === '' ? undefined : value;
  }

  /** A value as text: '' where there is none, JSON where it is none. */
  word(key: string): string {
    const value = this.take(key) ?? '';
    return typeof value === 'string' ? value : JSON.stringify(value);
  }

  /** Whether any of these keys has a value. */
  has(...keys: string[]): boolean {
    return keys.some((key) => this.found[key] !== undefined && this.found[key] !== null);
  }

  /** @param path a key of ours, or `group.key` */
  put(path: string, value: unknown): void {
    if (value === undefined) return;
    const [group, key] = path.split('.');
    if (key === undefined) this.recipe[group] = value;
    else this.recipe[group] = { ...(this.recipe[group] as object | undefined), [key]: value };
  }

  /** Takes a value over as it is. @param fallback the tool's own default where it is not ours */
  move(key: string, path: string, fallback?: unknown): void {
    this.put(path, this.take(key) ?? fallback);
  }

  /** Refuses every value of a key but these, and what is as good as no value. @param why ends the sentence */
  only(key: string, values: readonly unknown[], why: string): void {
    const value = this.take(key);
    if (value === undefined || value === false || values.includes(value)) return;
    this.refuse(`"${key}" is ${JSON.stringify(value)}: ${why}`);
  }

  /** The best adapter is kept by the loss of the one validation set. */
  bestByLoss(): void {
    const files = (this.recipe.validation_files ?? []) as string[];
    const names = this.recipe.val_set_size
      ? [...files.map(validationSetName), HELD_OUT]
      : files.map(validationSetName);
    if (names.length === 1) this.put('evaluation.metric_for_best_model', `eval_${names[0]}_loss`);
    else
      this.refuse(
        `The best model is kept by its validation loss, and the recipe has ${names.length === 0 ? 'no validation file' : `${names.length} validation sets`}: write metric_for_best_model: NAME_loss with the name of one.`,
      );
  }

  note(text: string): void {
    this.notes.push(text);
  }

  refuse(text: string): void {
    this.faults.push(text);
  }

  /** @throws UserError naming everything that was refused */
  end(): { recipe: Record<string, unknown>; notes: string[] } {
    if (this.faults.length > 0)
      throw new UserError(
        `This recipe of ${this.tool} asks for what is not possible here. ${this.faults.join(' ')}`,
      );
    const rest = Object.keys(this.found).filter((key) => !this.read.has(key) && this.found[key] !== null);
    const unknown = rest.filter((key) => !HARMLESS.test(key));
    const unused = rest.filter((key) => HARMLESS.test(key));
    const notes = [...this.notes];
    if (unknown.length > 0)
      notes.unshift(
        `Not understood, and not used: ${unknown.join(', ')}. If one of them changes what is learned, this run is not that recipe's.`,
      );
    if (unused.length > 0)
      notes.push(`Not used, as they do not change what is learned: ${unused.join(', ')}.`);
    return { recipe: this.recipe, notes };
  }
}
