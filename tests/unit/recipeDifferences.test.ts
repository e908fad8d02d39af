/** Where two kept runs' recipes differ, as the history shows it. */
import { describe, expect, it } from 'vitest';
import { recipeDifferences } from '../../src/page/history/recipeDifferences.ts';
import { parseRecipe, type RecipeInput } from '../../src/training/recipe.ts';

const differences = (a: RecipeInput, b: RecipeInput) => recipeDifferences([parseRecipe(a), parseRecipe(b)]);

describe('differences of recipes', () => {
  it('are none of equal recipes, also where one states a default and lists are other objects', () => {
    expect(differences({}, { training: { seed: 42 } })).toEqual([]);
    const lists = () => ({
      lora: { target_modules: ['q_proj', 'v_proj'] },
      validation_files: ['a.val.jsonl'],
    });
    expect(differences(lists(), lists())).toEqual([]);
  });

  it('are named by the keys of the file, the first recipe first', () => {
    const found = differences(
      { training: { learning_rate: 2e-4, seed: 1 }, lora: { r: 8, target_modules: ['q_proj'] } },
      { training: { learning_rate: 1e-3, seed: 1 }, lora: { r: 16, target_modules: ['q_proj', 'v_proj'] } },
    );
    expect(found.toSorted((a, b) => (a.key < b.key ? -1 : 1))).toEqual([
      { key: 'lora.r', values: ['8', '16'] },
      { key: 'lora.target_modules', values: ['["q_proj"]', '["q_proj","v_proj"]'] },
      { key: 'training.learning_rate', values: ['0.0002', '0.001'] },
    ]);
  });

  it('show a dash where a recipe does not have the key', () => {
    const [older, newer] = [parseRecipe({}), parseRecipe({})];
    Reflect.deleteProperty(older.training, 'seed');
    expect(recipeDifferences([older, newer])).toEqual([{ key: 'training.seed', values: ['–', '42'] }]);
    expect(recipeDifferences([newer, older])).toEqual([{ key: 'training.seed', values: ['42', '–'] }]);
  });

  it('tell null, text and numbers apart', () => {
    const [a, b] = [parseRecipe({}), parseRecipe({})];
    Object.assign(a.training, { seed: 42 });
    Object.assign(b.training, { seed: '42' });
    expect(recipeDifferences([a, b])).toEqual([{ key: 'training.seed', values: ['42', '"42"'] }]);
  });
});
