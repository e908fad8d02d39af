/** Why Train cannot be pressed, in the order of the page's sections. */
import { metricFault } from '../../training/metrics.ts';
import { maskBlockers } from '../data/maskBlockers.ts';
import type { Workspace } from '../Workspace.svelte.ts';

/** @returns sentences that say what to do; none where a run may begin */
export function blockersOf({
  model,
  data,
  recipe,
  runs,
  planning,
  recipeError,
}: Pick<Workspace, 'model' | 'data' | 'recipe' | 'runs' | 'planning' | 'recipeError'>): string[] {
  return [
    modelBlocker(model, recipe),
    ...data.blockers,
    ...maskBlockers(data.train?.report),
    model && data.train?.report
      ? metricFault(
          recipe.evaluation,
          data.usable.map(({ name }) => name),
          recipe.method,
        )
      : null,
    recipeError,
    planning.error,
    runs.history.blockerFor(model?.id, recipe),
  ].filter((reason): reason is string => reason !== null && reason !== '');
}

function modelBlocker(model: Workspace['model'], recipe: Workspace['recipe']): string | null {
  if (!model) return 'Drop a model first.';
  if (model.quantization === recipe.quantization) return null;
  return `The recipe asks for quantization "${recipe.quantization}", the stored model is "${model.quantization}". Drop the model's files again, or change the recipe.`;
}
