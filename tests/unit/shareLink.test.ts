/** Recipes in links, and presets. */
import { describe, expect, it } from 'vitest';
import { applyPreset, PRESETS, presetOf } from '../../src/page/recipe/presets.ts';
import { recipeLink, recipeOfLink } from '../../src/page/recipe/shareLink.ts';
import { parseRecipe } from '../../src/training/recipe.ts';

describe('share link', () => {
  it('carries what differs from the defaults, in the fragment, in any script', () => {
    const recipe = parseRecipe({
      model: 'a/b',
      system_prompt: 'Γειά, “you” – 🙂',
      lora: { r: 8, target_modules: ['q_proj'] },
      evaluation: { metric_for_best_model: 'eval_math_loss' },
    });
    const link = recipeLink(recipe, 'https://example.org/finetab/?x=1#old');
    expect(link).toMatch(/^https:\/\/example\.org\/finetab\/\?x=1#recipe=[\w-]+$/);
    expect(recipeOfLink(new URL(link).hash)).toEqual(recipe);
    expect(recipeLink(parseRecipe({}), 'http://x/')).toBe('http://x/#recipe=e30');
  });

  it('leaves out what is private: names of files and folders', () => {
    const recipe = parseRecipe({
      model: 'folder:/home/me/secret',
      train_file: 'secret.jsonl',
      validation_files: ['secret.val.jsonl'],
      system_prompt: null,
    });
    expect(recipeOfLink(new URL(recipeLink(recipe, 'http://x/')).hash)).toEqual(
      parseRecipe({ system_prompt: null }),
    );
  });

  it('carries a long prompt, and says where it is too long', () => {
    const prompt = (length: number) => parseRecipe({ system_prompt: 'ä'.repeat(length) });
    expect(recipeOfLink(new URL(recipeLink(prompt(10_000), 'http://x/')).hash)).toEqual(prompt(10_000));
    expect(() => recipeLink(prompt(150_000), 'http://x/')).toThrow(
      /too long for a link.*recipe.json instead/,
    );
  });

  it('says what is wrong with a broken one, and takes no other fragment for one', () => {
    expect(recipeOfLink('#step-model')).toBeNull();
    expect(recipeOfLink('')).toBeNull();
    expect(() => recipeOfLink('#recipe=%%%')).toThrow(/link was cut off or changed/);
    expect(() => recipeOfLink(`#recipe=${btoa('{"lora":{"rank":8}}')}`)).toThrow(
      /"lora\.rank" is not a key of a recipe/,
    );
  });
});

describe('presets', () => {
  it('are valid, differ, and are recognised', () => {
    for (const preset of PRESETS) {
      const recipe = parseRecipe({ max_length: 77 });
      applyPreset(recipe, preset, 'math');
      expect(parseRecipe(recipe)).toEqual(recipe);
      expect(presetOf(recipe)).toBe(preset);
      expect(recipe.max_length).toBe(77);
      expect(recipe.evaluation.metric_for_best_model).toBe(preset.keepsBest ? 'eval_math_loss' : null);
    }
    expect(presetOf(parseRecipe({}))?.id).toBe('balanced');
    expect(presetOf(parseRecipe({ lora: { r: 5 } }))).toBeUndefined();
  });
});
