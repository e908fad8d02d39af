import type { RunDemand } from '../../engine/engineRequest.ts';
import { documentsPerExample, loraOfMethod } from '../../training/preference/method.ts';
import type { PlanRequest } from './trainerProtocol.ts';

/** What a run asks of its engine, as its method has it. */
export function runDemand({ recipe, trainLengths, longestValidation, kernels }: PlanRequest): RunDemand {
  return {
    recipe: { ...recipe, lora: loraOfMethod(recipe) },
    documentsPerExample: documentsPerExample(recipe.method),
    trainLengths,
    longestValidation,
    kernels,
  };
}
