/** Names of models: as a recipe writes them, and as a run was really made. */
import { isHubId } from './hubAddress.ts';

/** The last part of a model's name: of "owner/name", of "folder:a/b". '' for ''. */
export function shortModelName(model: string): string {
  return model
    .replace(/^folder:/, '')
    .split('/')
    .at(-1)!;
}

/** Whether a recipe's `model` names the model of this name. */
export function namesModel(recipeModel: string, modelName: string): boolean {
  return recipeModel !== '' && shortModelName(recipeModel) === shortModelName(modelName);
}

/**
 * The base model of a run: the one that was trained on, by its full name on the Hub where the recipe has it.
 * @param modelName of the stored model that was used
 */
export function baseModelName(recipeModel: string, modelName: string): string {
  return isHubId(recipeModel) && namesModel(recipeModel, modelName) ? recipeModel : modelName;
}
