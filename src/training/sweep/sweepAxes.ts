/**
 * A small sweep: one recipe over lists of values of a few numeric keys, every combination a run, and all else
 * equal.
 */
import { UserError } from '../../lib/errors.ts';
import { parseRecipe, type Recipe } from '../recipe.ts';

/** A key of the recipe, dotted, and what it is set to. */
export interface SweepAxis {
  /** 'training.learning_rate', 'lora.r', 'max_length'. */
  key: string;
  values: number[];
}

export interface SweepRun {
  recipe: Recipe;
  /** The values that are this run's own, by key. */
  settings: Record<string, number>;
}

/** More are no small sweep: each is a whole run. */
export const MOST_RUNS = 64;

const GROUPS = ['lora', 'training', 'evaluation'] as const;
type Values = Record<string, unknown>;

/** Keys of a recipe that hold a number, or may; the common ones first. */
export function numericKeys(recipe: Recipe): string[] {
  const common = ['training.learning_rate', 'lora.r', 'lora.lora_alpha', 'training.num_train_epochs'];
  const all = [null, ...GROUPS].flatMap((group) =>
    Object.entries(group === null ? recipe : recipe[group]).flatMap(([key, value]: [string, unknown]) => {
      const dotted = group === null ? key : `${group}.${key}`;
      return typeof value === 'number' || (value === null && takesNumber(recipe, dotted)) ? [dotted] : [];
    }),
  );
  return [...common, ...all.filter((key) => !common.includes(key))];
}

/**
 * The key that a person means: 'lora.r', or 'r' and 'lora_r' for it.
 * @throws UserError where it is none, or the key of two groups
 */
export function sweepKey(name: string, recipe: Recipe): string {
  const keys = numericKeys(recipe);
  if (keys.includes(name)) return name;
  const found = keys.filter((key) => key.split('.').at(-1) === name || key.replace('.', '_') === name);
  if (found.length === 1) return found[0];
  if (found.length > 1) throw new UserError(`"${name}" is a key of two groups: write ${found.join(' or ')}.`);
  throw new UserError(
    `"${name}" is no key of a recipe that holds a number. Name one such as ${keys.slice(0, 4).join(', ')}.`,
  );
}

/**
 * @param text numbers between commas, semicolons or spaces: '1e-4, 2e-4'
 * @throws UserError where one is no number, or stands there twice
 */
export function sweepValues(key: string, text: string): number[] {
  const words = text.split(/[\s,;]+/).filter((word) => word !== '');
  if (words.length === 0) throw new UserError(`${key} has no values: write numbers between commas.`);
  const values = words.map(Number);
  const wrong = words.find((_, i) => !Number.isFinite(values[i]));
  if (wrong !== undefined)
    throw new UserError(`"${wrong}" in the values of ${key} is no number: write such as 1e-4, 2e-4.`);
  const twice = values.find((value, i) => values.indexOf(value) < i);
  if (twice !== undefined)
    throw new UserError(`${key} has ${twice} twice: both runs would be the same. Take one out.`);
  return values;
}

/** @param text 'learning_rate=1e-4,2e-4' @throws UserError as sweepKey and sweepValues */
export function sweepAxis(text: string, recipe: Recipe): SweepAxis {
  const at = text.indexOf('=');
  if (at < 1) throw new UserError(`"${text}" is no sweep: write a key and its values, as lora.r=8,16.`);
  const key = sweepKey(text.slice(0, at).trim(), recipe);
  return { key, values: sweepValues(key, text.slice(at + 1)) };
}

/**
 * Every combination, the last key's values fastest.
 * @throws UserError where a key comes twice, a value is refused by the recipe, or there are too many
 */
export function sweepRuns(base: Recipe, axes: readonly SweepAxis[]): SweepRun[] {
  const keys = axes.map(({ key }) => key);
  const twice = keys.find((key, i) => keys.indexOf(key) < i);
  if (twice !== undefined) throw new UserError(`${twice} is swept twice: put all its values into one list.`);
  const count = axes.reduce((product, { values }) => product * values.length, 1);
  if (count > MOST_RUNS)
    throw new UserError(`These are ${count} runs; a sweep has at most ${MOST_RUNS}. Leave some values out.`);
  let runs: SweepRun[] = [{ recipe: base, settings: {} }];
  for (const { key, values } of axes)
    runs = runs.flatMap(({ recipe, settings }) =>
      values.map((value) => ({
        recipe: withValue(recipe, key, value),
        settings: { ...settings, [key]: value },
      })),
    );
  return runs.map(({ recipe, settings }) => ({ recipe: parseRecipe(recipe), settings }));
}

/** 'learning_rate 0.0001, r 8' */
export function settingsText(settings: Readonly<Record<string, number>>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key.split('.').at(-1)} ${value}`)
    .join(', ');
}

function takesNumber(recipe: Recipe, key: string): boolean {
  try {
    parseRecipe(withValue(recipe, key, 1));
    return true;
  } catch {
    // A key that is null and takes no number, such as metric_for_best_model.
    return false;
  }
}

function withValue(recipe: Recipe, key: string, value: number): Recipe {
  const [group, inner] = key.split('.');
  if (inner === undefined) return { ...recipe, [group]: value };
  const values = recipe[group as (typeof GROUPS)[number]] as Values;
  return { ...recipe, [group]: { ...values, [inner]: value } };
}
