/** The recipe of a file that a command was given. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { UserError } from '../../src/lib/errors.ts';
import { readRecipe } from '../../src/training/foreignRecipes/readRecipe.ts';

/**
 * A recipe of any kind that the page reads, with what was not understood of it.
 * @throws UserError where there is none, or it cannot be read
 */
export async function recipeAt(path: string): ReturnType<typeof readRecipe> {
  if (!existsSync(path)) throw new UserError(`There is no recipe at ${path}.`);
  return readRecipe(await readFile(path, 'utf8'));
}
