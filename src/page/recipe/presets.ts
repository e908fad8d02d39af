/**
 * Recipes for people who do not want to choose every number. A preset sets its own keys and leaves the
 * others as they are.
 */
import type { Messages } from '../language/messages.svelte.ts';
import type { Recipe } from '../../training/recipe.ts';

export interface Preset {
  /** Of its name, what it is for and what it does, in the page's texts. */
  id: keyof Messages['recipe']['presets'];
  lora: Partial<Recipe['lora']>;
  training: Partial<Recipe['training']>;
  evaluation: Partial<Recipe['evaluation']>;
  /** Keeps the adapter that was best on the first validation file, and stops once it gets no better. */
  keepsBest?: boolean;
}

export const PRESETS: readonly Preset[] = [
  {
    id: 'quick',
    lora: { r: 8, lora_alpha: 16 },
    training: { num_train_epochs: 1, max_steps: 40, learning_rate: 3e-4 },
    evaluation: { eval_steps: 10, predict_with_generate: false },
  },
  {
    id: 'balanced',
    lora: { r: 16, lora_alpha: 32 },
    training: { num_train_epochs: 3, max_steps: -1, learning_rate: 2e-4 },
    evaluation: { eval_steps: 20, predict_with_generate: false },
  },
  {
    id: 'thorough',
    lora: { r: 32, lora_alpha: 64 },
    training: { num_train_epochs: 5, max_steps: -1, learning_rate: 1e-4 },
    evaluation: { eval_steps: 20, predict_with_generate: true, early_stopping_patience: 5 },
    keepsBest: true,
  },
  {
    id: 'best',
    lora: { r: 64, lora_alpha: 64, target_modules: 'all-linear', use_rslora: true, use_dora: false },
    training: { num_train_epochs: 5, max_steps: -1, learning_rate: 5e-5 },
    evaluation: { eval_steps: 20, predict_with_generate: true, early_stopping_patience: 5 },
    keepsBest: true,
  },
];

const GROUPS = ['lora', 'training', 'evaluation'] as const;

/** Sets a preset's keys. @param firstSet name of the first validation file, where there is one */
export function applyPreset(recipe: Recipe, preset: Preset, firstSet: string | undefined): void {
  for (const group of GROUPS) Object.assign(recipe[group], preset[group]);
  recipe.evaluation.metric_for_best_model =
    preset.keepsBest && firstSet !== undefined ? `eval_${firstSet}_loss` : null;
}

/** The preset whose keys the recipe has. */
export function presetOf(recipe: Recipe): Preset | undefined {
  return PRESETS.find((preset) =>
    GROUPS.every((group) =>
      Object.entries(preset[group]).every(
        ([key, value]) => (recipe[group] as Record<string, unknown>)[key] === value,
      ),
    ),
  );
}
