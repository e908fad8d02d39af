import { describe, expect, it } from 'vitest';
import { examplesPerStep, parseRecipe, recipeToJson } from '../../src/training/recipe.ts';

describe('recipe', () => {
  it('fills in the defaults of the design and keeps what is written', () => {
    const recipe = parseRecipe(
      '{"model": "folder:m", "lora": {"r": 4}, "training": {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 3}}',
    );
    expect(recipe).toMatchObject({
      model: 'folder:m',
      system_prompt: 'You are a helpful and friendly assistant.',
      quantization: 'nf4',
      lora: {
        r: 4,
        lora_alpha: 32,
        lora_dropout: 0,
        target_modules: 'all-linear',
        use_rslora: false,
        use_dora: false,
      },
      training: {
        num_train_epochs: 3,
        max_steps: -1,
        learning_rate: 2e-4,
        lr_scheduler_type: 'cosine',
        warmup_ratio: 0.1,
        max_grad_norm: 1,
        seed: 42,
        gradient_checkpointing: true,
        activation_dtype: 'auto',
        head_dtype: 'auto',
        gpu_memory_limit_gib: null,
      },
      evaluation: {
        eval_steps: 20,
        predict_with_generate: false,
        max_new_tokens: 100,
        temperature: 0.3,
        top_p: 0.93,
        eval_max_samples: 32,
      },
    });
    expect(examplesPerStep(recipe)).toBe(6);
  });

  it('is the same after a way out and back', () => {
    const recipe = parseRecipe({
      max_length: 77,
      system_prompt: null,
      evaluation: { metric_for_best_model: 'eval_a_loss' },
    });
    expect(parseRecipe(recipeToJson(recipe))).toEqual(recipe);
    expect(recipeToJson(parseRecipe(recipeToJson(recipe)))).toBe(recipeToJson(recipe));
  });

  it.each([
    ['{', /not JSON/],
    ['[]', /it is a list; it must be an object in braces/],
    ['{"lora": []}', /"lora" is a list; it must be an object/],
    ['7', /must be an object in braces/],
    ['{"lora": {"rank": 8}}', /"lora\.rank" is not a key of a recipe/],
    ['{"traning": {}}', /"traning" is not a key of a recipe; did you mean "training"\?/],
    ['{"training": {"learning_rate": "fast"}}', /"training\.learning_rate" is "fast": it must be a number/],
    ['{"lora": {"r": 0}}', /"lora\.r" is 0: it must be at least 1/],
    ['{"training": {"num_train_epochs": 1e300}}', /num_train_epochs" is 1e\+300: it must be at most 1/],
    [
      '{"training": {"per_device_train_batch_size": 1e15}}',
      /train_batch_size" is 1000000000000000: .* at most/,
    ],
    ['{"training": {"max_steps": 1e300}}', /"training.max_steps" is 1e\+300: it must be at most 1000000000/],
    ['{"training": {"learning_rate": 1e300}}', /"training.learning_rate" is 1e\+300: it must be at most/],
    [
      '{"evaluation": {"eval_max_samples": 1e15}}',
      /eval_max_samples" is 1000000000000000: it must be at most/,
    ],
    ['{"lora": {"lora_dropout": 1.5}}', /must be between 0 and 1/],
    ['{"quantization": "int8"}', /must be "nf4", "none" or "gguf"/],
    [
      '{"lora": {"init_lora_weights": "loftq"}}',
      /"loftq": it must be true, false or "gaussian": LoftQ takes off/,
    ],
    ['{"lora": {"use_dora": "yes"}}', /must be true or false/],
    ['{"training": {"seed": -1}}', /"training\.seed" is -1/],
    ['{"evaluation": {"metric_for_best_model": "loss"}}', /must be the name of a metric/],
  ])('refuses %s and says what to write', (text, message) => {
    expect(() => parseRecipe(text)).toThrow(message);
  });
});
