/** Why Train cannot be pressed, in the order of the page's sections. */
import { t } from '../language/messages.svelte.ts';
import { metricFault } from '../../training/metrics.ts';
import { mixFault } from '../../training/batching/rowMix.ts';
import { nameOf } from '../../training/recipe/scoringRecipe.ts';
import { maskBlockers } from '../data/mask/maskBlockers.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { ModelDetails } from '../../worker/import/importProtocol.ts';
import type { DataFiles } from '../data/DataFiles.svelte.ts';

export interface BeforeRun {
  model: ModelDetails | null;
  data: DataFiles;
  recipe: Recipe;
  /** What is wrong with the recipe in itself, with its plan, and with the adapter that it starts from. */
  faults: readonly (string | null)[];
}

/** @returns sentences that say what to do; none where a run may begin */
export function blockersOf({ model, data, recipe, faults }: BeforeRun): string[] {
  return [
    modelBlocker(model, recipe),
    ...data.blockers,
    ...maskBlockers(data.train?.report),
    ...fileFaults(model, data, recipe),
    ...faults,
  ].filter((reason): reason is string => reason !== null && reason !== '');
}

/** What of the recipe does not fit the files that are here. */
function fileFaults(model: ModelDetails | null, data: DataFiles, recipe: Recipe): string[] {
  const report = data.train?.report;
  if (!report) return [];
  const own = recipe.metrics.map(nameOf);
  const names = data.usable.map(({ name }) => name);
  const faults = [
    model ? metricFault(recipe.evaluation, names, { method: recipe.method, own }) : null,
    mixFault(
      report.parts.map(({ file }) => file),
      recipe.mix_ratios,
    ),
  ];
  return faults.filter((fault) => fault !== null).map((fault) => t.errors.shown(fault));
}

/**
 * Files that a recipe names to go on from, which a page cannot open by their paths.
 * @param hasStart whether an adapter to go on from was chosen
 */
export function startBlockers({ adapter_name_or_path, training }: Recipe, hasStart: boolean): string[] {
  const { resume_from_checkpoint } = training;
  const reasons = [];
  if (resume_from_checkpoint !== null) reasons.push(t.run.chooseRunFile(resume_from_checkpoint));
  if (adapter_name_or_path !== null && !hasStart) reasons.push(t.run.chooseAdapter(adapter_name_or_path));
  return reasons;
}

function modelBlocker(model: ModelDetails | null, recipe: Recipe): string | null {
  if (!model) return t.run.dropModel;
  if (model.quantization === recipe.quantization) return null;
  return t.run.otherQuantization(recipe.quantization, model.quantization);
}
