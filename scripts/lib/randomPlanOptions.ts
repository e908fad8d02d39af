/** What plans of a model's shape are made from, where its weights say nothing. */
import type { PlanOptions } from '../../src/engine/enginePlans.ts';
import { LORA } from '../../src/engine/pipelinedSteps.ts';
import { modelOf } from '../../src/model/families/registry.ts';
import { randomModel, SHAPES } from '../../src/verify/randomModel.ts';

/** @param name of SHAPES */
export function randomPlanOptions(
  name: string,
  tokensPerMicroBatch: number,
  gradientCheckpointing: boolean,
): PlanOptions {
  const { config, tensors } = randomModel(SHAPES[name]);
  return { model: modelOf(config), weights: tensors, lora: LORA, tokensPerMicroBatch, gradientCheckpointing };
}
