/** How long a run will take, by the speed of one that was kept. */
import { examplesPerStep, type Recipe } from '../../training/recipe.ts';
import type { RunSummary } from '../../worker/history/historyProtocol.ts';

export interface Speed {
  /** Of a whole run, its evaluations and its start included. */
  secondsPerExample: number;
  /** The run that it was measured in. */
  from: RunSummary;
}

/** Of the newest run that is like this one: same model, method and training file. */
export function knownSpeed(
  runs: readonly RunSummary[],
  { modelId, trainFile, recipe }: { modelId: string; trainFile: string; recipe: Recipe },
): Speed | null {
  const from = runs
    .filter(
      (run) =>
        run.modelId === modelId &&
        run.trainFile === trainFile &&
        run.recipe.method === recipe.method &&
        run.recipe.training.packing === recipe.training.packing &&
        !run.live &&
        run.step > 0 &&
        run.seconds > 0,
    )
    .sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
    .at(0);
  if (!from) return null;
  return { secondsPerExample: from.seconds / (from.step * examplesPerStep(from.recipe)), from };
}

export function secondsBy({ secondsPerExample }: Speed, recipe: Recipe, totalSteps: number): number {
  return secondsPerExample * totalSteps * examplesPerStep(recipe);
}
