/** Where recipes differ, by the keys of the recipe's file. */
import type { Recipe } from '../../training/recipe.ts';

export interface RecipeDifference {
  /** 'training.learning_rate'. */
  key: string;
  /** As JSON, one a recipe; '–' where a recipe has no such key. */
  values: string[];
}

export function recipeDifferences(recipes: readonly Recipe[]): RecipeDifference[] {
  const all = recipes.map((recipe) => flat(recipe));
  const keys = [...new Set(all.flatMap((one) => [...one.keys()]))];
  return keys
    .map((key) => ({ key, values: all.map((one) => one.get(key) ?? '–') }))
    .filter(({ values }) => new Set(values).size > 1);
}

/** Values as JSON by dotted key; lists count as one value. */
function flat(value: object, prefix = ''): Map<string, string> {
  return new Map(
    Object.entries(value).flatMap(([key, inner]): [string, string][] =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? [...flat(inner as object, `${prefix}${key}.`)]
        : [[prefix + key, JSON.stringify(inner)]],
    ),
  );
}
