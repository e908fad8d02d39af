import type { RunDemand } from '../../engine/engineRequest.ts';
import { documentsPerExample, loraOfMethod } from '../../training/preference/method.ts';
import { packedExamples } from '../../training/batching/packedExamples.ts';
import { answersPerStep } from '../../training/reward/rewardSettings.ts';
import type { PlanRequest } from './trainerProtocol.ts';

/** What a run asks of its engine, as its method has it. */
export function runDemand({ recipe, trainLengths, longestValidation, kernels }: PlanRequest): RunDemand {
  const { max_completion_length } = recipe.training;
  const isSampled = recipe.method === 'grpo';
  return {
    recipe: { ...recipe, lora: loraOfMethod(recipe) },
    documentsPerExample: recipe.training.packing
      ? trainLengths.length / Math.max(1, packedExamples(trainLengths, recipe.max_length).count)
      : documentsPerExample(recipe.method),
    // Sampled answers lie behind their prompts.
    trainLengths: isSampled ? trainLengths.map((length) => length + max_completion_length) : trainLengths,
    ...(isSampled ? { sampledAtOnce: answersPerStep(recipe) } : {}),
    longestValidation,
    kernels,
  };
}
