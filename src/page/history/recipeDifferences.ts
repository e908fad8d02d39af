/** Where two recipes differ, by the keys of the recipe's file. */
import type { Recipe } from '../../training/recipe.ts';

export interface RecipeDifference {
  /** 'training.learning_rate'. */
  key: string;
  a: string;
  b: string;
}

export function recipeDifferences(a: Recipe, b: Recipe): RecipeDifference[] {
  const [left, right] = [flat(a), flat(b)];
  const keys = [...new Set([...left.keys(), ...right.keys()])];
  return keys
    .filter((key) => left.get(key) !== right.get(key))
    .map((key) => ({ key, a: left.get(key) ?? '–', b: right.get(key) ?? '–' }));
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
