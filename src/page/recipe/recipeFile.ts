/** A recipe that a person chose as a file. What reads other programs' recipes is loaded then. */
import type { ReadRecipe } from '../../training/foreignRecipes/readRecipe.ts';

export type TakenRecipe = Pick<ReadRecipe, 'recipe' | 'notes'>;

/** @throws UserError where it is no recipe */
export async function recipeOfFile(file: File): Promise<TakenRecipe> {
  const { readRecipe } = await import('../../training/foreignRecipes/readRecipe.ts');
  return readRecipe(await file.text());
}
