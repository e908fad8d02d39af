/** What an engine on WebGPU is made of: its plans, the weights on the device and its buffers. */
import type { KernelSettings } from '../../gpu/dispatch.ts';
import type { GpuContext } from '../../gpu/gpuContext.ts';
import { modelOf } from '../../model/families/registry.ts';
import type { EngineOptions, MemoryChoice } from '../engine.ts';
import { listPlans, makeEnginePlans, type EnginePlans, type PlanOptions } from '../enginePlans.ts';
import { chooseMemory, type PlannedEngine } from '../memoryChoice.ts';
import { weightGroupsOf, weightNames } from '../memoryReport.ts';
import { DeviceBuffers } from './deviceBuffers.ts';
import { asPlanned, withHead } from '../headDtype.ts';
import { uploadWeights } from './uploadWeights.ts';

export interface EngineParts {
  settings: KernelSettings;
  planOptions: PlanOptions;
  plans: EnginePlans;
  deviceBuffers: DeviceBuffers;
  /** How the plans came to fit a memory aim, where one was given. */
  memoryChoice: MemoryChoice | undefined;
}

/**
 * Plans, uploads the weights and allocates what the plans need.
 * @param planned plans that were made for these options; without them they are made here
 * @throws UserError where the adapter settings do not fit the model or a memory limit cannot be kept
 */
export async function prepareParts(
  context: GpuContext,
  options: EngineOptions & { logits?: boolean },
  planned?: PlannedEngine,
): Promise<EngineParts> {
  const wanted = { ...options, model: modelOf(options.weights.config), weights: options.weights.tensors };
  const { memoryAim: aim, level = context.settings.level } = options;
  const settings = { ...context.settings, level };
  const gradientCheckpointing = options.gradientCheckpointing !== false;
  const chosen =
    planned ?? (aim && chooseMemory({ ...wanted, gradientCheckpointing, aim }, settings, context.limits));
  const packActivations = options.activationDtype === 'e6m9';
  const weights = withHead(options.headDtype, wanted.model, wanted.weights);
  const planOptions: PlanOptions = chosen?.options ?? { ...wanted, weights, packActivations };
  // The memory aim counts a KV cache, but it is allocated when generation is first asked for.
  const plans = chosen
    ? { ...chosen.plans, generation: undefined }
    : makeEnginePlans(planOptions, settings, context.limits);
  const list = listPlans(plans);
  const uploaded = await uploadWeights(
    context,
    asPlanned(options.weights, planOptions.weights),
    weightNames(list),
    weightGroupsOf(list),
    options.onProgress,
  );
  const deviceBuffers = new DeviceBuffers(context, plans.layout, uploaded);
  deviceBuffers.allocate(list);
  return { settings, planOptions, plans, deviceBuffers, memoryChoice: chosen?.choice };
}
