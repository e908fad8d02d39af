/**
 * The recipe as a file, in and out. What reads other programs' recipes is loaded when one is chosen.
 */
import { namesModel } from '../../lib/modelNames.ts';
import { recipeToJson, type Recipe } from '../../training/recipe.ts';
import type { ModelDetails } from '../../worker/import/importProtocol.ts';
import type { DataFiles } from '../data/DataFiles.svelte.ts';
import { filesForRecipe } from '../data/recipe/recipeRoles.ts';
import type { ReadRecipe } from '../../training/foreignRecipes/readRecipe.ts';

export type TakenRecipe = Pick<ReadRecipe, 'recipe' | 'notes'>;

/** More than readRecipe takes, also where a character has three bytes. */
const MOST_BYTES = 2 ** 23;

/** @throws UserError where it is no recipe */
export async function recipeOfFile(file: File): Promise<TakenRecipe> {
  const { readRecipe } = await import('../../training/foreignRecipes/readRecipe.ts');
  // What is larger than any recipe is not read: readRecipe refuses it by its length.
  return readRecipe(await file.slice(0, MOST_BYTES).text());
}

/** The recipe as a file: with the chosen model and the files that are here. */
export function recipeText(recipe: Recipe, model: ModelDetails | null, data: DataFiles): string {
  // The recipe's own name for the model, where it is the chosen model's.
  const isNamed = !model || namesModel(recipe.model, model.name);
  return recipeToJson({
    ...recipe,
    model: isNamed ? recipe.model : model.name,
    ...filesForRecipe(data.train, data.validation, recipe),
  });
}
