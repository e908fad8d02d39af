/** Recipes of TRL, axolotl and LLaMA-Factory: what becomes of each key, and what is named or refused. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readRecipe } from '../../src/training/foreignRecipes/readRecipe.ts';
import { parseRecipe } from '../../src/training/recipe.ts';

const fixture = (name: string) =>
  readFileSync(new URL(`../fixtures/recipes/${name}`, import.meta.url), 'utf8');
/** A recipe with a line changed or added. */
const withLine = (text: string, key: string, line: string) => {
  const lines = text.split('\n').filter((each) => !each.startsWith(`${key}:`));
  return [...lines, line, ''].join('\n');
};

describe('a recipe of another tool', () => {
  it('of axolotl becomes ours, with its defaults', async () => {
    const { recipe, tool, notes } = await readRecipe(fixture('axolotl.yml'));
    expect(tool).toBe('axolotl');
    expect(recipe).toMatchObject({
      model: 'NousResearch/Llama-3.2-1B',
      train_file: ['rows.jsonl'],
      system_prompt: null,
      val_set_size: 0.1,
      max_length: 2048,
      method: 'sft',
      quantization: 'nf4',
      adapter_name_or_path: null,
      lora: { r: 16, lora_alpha: 32, lora_dropout: 0.05 },
      training: {
        num_train_epochs: 1,
        per_device_train_batch_size: 2,
        gradient_accumulation_steps: 2,
        learning_rate: 2e-4,
        lr_scheduler_type: 'cosine',
        warmup_steps: 10,
        warmup_ratio: 0,
        weight_decay: 0.01,
        gradient_checkpointing: true,
        group_by_length: false,
      },
      evaluation: {
        eval_strategy: 'epoch',
        early_stopping_patience: 3,
        metric_for_best_model: 'eval_held_out_loss',
      },
    });
    expect(recipe.lora.target_modules).toContain('o_proj');
    expect(notes[0]).toBe(
      "Not understood, and not used: a_new_loss. If one of them changes what is learned, this run is not that recipe's.",
    );
    expect(notes).toContain('Not understood of "rows.jsonl", and not used: field_instruction.');
    expect(notes.join(' ')).toMatch(/"optimizer" is adamw_8bit: AdamW is computed the same/);
    expect(notes.join(' ')).toMatch(/evals_per_epoch is 4: validation files are evaluated once an epoch/);
    expect(notes.at(-1)).toMatch(/^Not used, as they do not change what is learned: .*flash_attention/);
  });

  it('of LLaMA-Factory becomes ours, with its defaults', async () => {
    const { recipe, tool, notes } = await readRecipe(fixture('llamaFactory.yaml'));
    expect(tool).toBe('LLaMA-Factory');
    expect(recipe).toMatchObject({
      model: 'Qwen/Qwen3-4B-Instruct-2507',
      train_file: 'pairs.json',
      method: 'simpo',
      max_length: 2048,
      quantization: 'none',
      lora: { r: 8, lora_alpha: 16, lora_dropout: 0, target_modules: 'all-linear' },
      training: {
        beta: 0.2,
        simpo_gamma: 0.7,
        per_device_train_batch_size: 1,
        gradient_accumulation_steps: 8,
        learning_rate: 5e-6,
        warmup_ratio: 0.1,
      },
      evaluation: { eval_strategy: 'no', metric_for_best_model: null, early_stopping_patience: 0 },
    });
    expect(notes.join(' ')).toMatch(/dataset names dpo_en_demo, of dataset_info.json/);
    expect(notes.join(' ')).toMatch(/template is "qwen3_nothink"/);
    expect(notes.join(' ')).not.toMatch(/Not understood/);
  });

  it('of TRL becomes ours, as YAML and as JSON, with its defaults', async () => {
    const { recipe, tool, notes } = await readRecipe(fixture('trl.yaml'));
    expect(tool).toBe('TRL');
    expect(recipe).toMatchObject({
      model: 'Qwen/Qwen2.5-0.5B-Instruct',
      train_file: '',
      max_length: 1024,
      quantization: 'nf4',
      lora: { r: 32, lora_alpha: 16, lora_dropout: 0.05, target_modules: 'all-linear' },
      training: { lr_scheduler_type: 'linear', warmup_ratio: 0, save_steps: 500, logging_steps: 10 },
      evaluation: {
        eval_strategy: 'steps',
        eval_steps: 100,
        eval_on_start: false,
        metric_for_best_model: 'eval_chat_loss',
      },
    });
    expect(notes.join(' ')).toMatch(/"trl-lib\/Capybara" is not downloaded/);
    expect(notes.join(' ')).toMatch(/only the answers are learned from/);
    const json = {
      learning_rate: 1e-4,
      loss_type: ['ipo'],
      beta: 0.3,
      lr_scheduler_type: 'cosine',
      bf16: true,
    };
    const made = await readRecipe(JSON.stringify(json));
    expect(made.recipe).toMatchObject({
      method: 'dpo',
      quantization: 'none',
      training: { loss_type: 'ipo', beta: 0.3, per_device_train_batch_size: 8, learning_rate: 1e-4 },
    });
  });

  it('of TRL for grpo has its defaults where ours differ', async () => {
    const json = { learning_rate: 1e-4, num_generations: 4, rewards: [{ type: 'exact_match' }] };
    const { recipe } = await readRecipe(JSON.stringify(json));
    expect(recipe.method).toBe('grpo');
    expect(recipe.training).toMatchObject({
      beta: 0,
      use_bias_correction_kl: true,
      max_completion_length: 512,
    });
  });

  it('of TRL smooths no labels of sigmoid, as TRL does not', async () => {
    const json = { learning_rate: 1e-4, loss_type: ['sigmoid'], label_smoothing: 0.1 };
    const { recipe, notes } = await readRecipe(JSON.stringify(json));
    expect([recipe.method, recipe.training.label_smoothing]).toEqual(['dpo', 0]);
    expect(notes.join(' ')).toMatch(/label_smoothing is not used/);
  });

  it.each([
    ['axolotl.yml', 'adapter', 'adapter:', /"adapter" is null, which trains every weight/],
    ['axolotl.yml', 'optimizer', 'optimizer: lion_8bit', /"optimizer" is "lion_8bit": there is AdamW alone/],
    ['axolotl.yml', 'train_on_inputs', 'train_on_inputs: true', /"train_on_inputs" is true/],
    ['axolotl.yml', 'learning_rate', '', /no "learning_rate"/],
    ['axolotl.yml', 'rl', 'rl: grpo', /"rl" is grpo, whose rewards are Python/],
    ['axolotl.yml', 'lora_modules_to_save', 'lora_modules_to_save: [embed_tokens]', /"lora_modules_to_save"/],
    ['llamaFactory.yaml', 'stage', 'stage: ppo', /"stage" is "ppo"/],
    ['llamaFactory.yaml', 'pissa_init', 'pissa_init: true', /"pissa_init" is true/],
    ['llamaFactory.yaml', 'quantization_bit', 'quantization_bit: 8', /"quantization_bit" is 8/],
    ['llamaFactory.yaml', 'max_samples', 'max_samples: 1000', /"max_samples" is 1000/],
    ['trl.yaml', 'use_peft', '', /"use_peft" is not true/],
    ['trl.yaml', 'optim', 'optim: adafactor', /"optim" is "adafactor"/],
    ['trl.yaml', 'eval_steps', 'eval_steps: 0.1', /"eval_steps" is 0.1, a share of the run/],
    ['trl.yaml', 'beta', 'beta: 0.1', /the file does not say which: add a line method: dpo/],
    ['trl.yaml', 'loss_type', 'loss_type: dft', /"loss_type" is "dft"/],
    ['trl.yaml', 'validation_files', '', /no validation file: write metric_for_best_model/],
    ['trl.yaml', 'learning_rate', 'learning_rate: fast', /"training.learning_rate" is "fast"/],
    ['trl.yaml', 'x', 'seed: 1\nseed: 2', /neither JSON nor YAML: Map keys must be unique/],
    ['trl.yaml', 'x', 'seed: !!python/object/apply:os.system [ls]', /neither JSON nor YAML/],
  ])('%s with %s changed to "%s" is refused by name', async (name, key, line, message) => {
    await expect(readRecipe(withLine(fixture(name), key, line))).rejects.toThrow(message);
  });

  it('names every fault at once', async () => {
    const text = withLine(withLine(fixture('axolotl.yml'), 'adapter', ''), 'optimizer', 'optimizer: muon');
    await expect(readRecipe(text)).rejects.toThrow(/"adapter".*"optimizer"|"optimizer".*"adapter"/s);
  });

  it('of our own is read as JSON and as YAML, without notes', async () => {
    const own = { model: 'demo', method: 'dpo', training: { beta: 0.2, learning_rate: 1e-3 } } as const;
    const yaml = 'model: demo\nmethod: dpo\ntraining:\n  beta: 0.2\n  learning_rate: 1e-3\n';
    for (const text of [JSON.stringify(own), yaml])
      expect(await readRecipe(text)).toEqual({ recipe: parseRecipe(own), tool: null, notes: [] });
    await expect(readRecipe('{"traning": {}}')).rejects.toThrow(/did you mean "training"/);
    await expect(readRecipe('{')).rejects.toThrow(/The recipe is not JSON/);
    await expect(readRecipe('7')).rejects.toThrow(/must be an object/);
  });

  it.each([
    [
      'nothing but commas',
      `training: {${','.repeat(10_000)}}`,
      /Unexpected , in flow map at line 1, column 13/,
    ],
    ['lists in lists', `training: ${'['.repeat(20_000)}`, /nested too deep at line 1/],
    ['a key of a million letters', `{"training": {"${'a'.repeat(1e6)}": 1}}`, /^.{1,400}remove it\.$/],
    ['a long YAML', `a: ${'b'.repeat(40_000)}`, /at most 32768 characters/],
    ['a data file', ' '.repeat(2 ** 21), /Is it a data file/],
  ])('of %s is refused in time, in words', async (_what, text, message) => {
    const began = performance.now();
    await expect(readRecipe(text)).rejects.toThrow(message);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('of aliases that grow without end is refused', async () => {
    const lines = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (const [one, next] of ['ab', 'bc', 'cd', 'de'].map((pair) => pair.split('')))
      lines.push(`${next}: &${next} [${new Array(10).fill(`*${one}`).join(',')}]`);
    await expect(readRecipe(lines.join('\n'))).rejects.toThrow(/YAML cannot be read/);
  });
});
