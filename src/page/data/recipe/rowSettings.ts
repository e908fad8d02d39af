/** What of a recipe decides how data files are read and which of their rows are taken. */
import { documentSettingsOf } from '../../../data/rows/encoding/documentTypes.ts';
import { selectionOf } from '../../../data/rows/rowSelection.ts';
import { preferenceReading } from '../../../training/preference/method.ts';
import type { Recipe } from '../../../training/recipe.ts';
import type { Reading } from '../DataFile.svelte.ts';

/** @param recipe a plain object, which can be posted to a worker */
export function rowSettings(modelId: string, recipe: Recipe): Reading {
  return {
    modelId,
    settings: {
      ...documentSettingsOf(recipe),
      preferences: preferenceReading(recipe, true),
    },
    columns: recipe.columns,
    selection: selectionOf(recipe),
  };
}
