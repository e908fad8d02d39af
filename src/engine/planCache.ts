/** Keeps the plans that were made last, so that what the page shows and what an engine runs are made once. */
import type { KernelSettings } from '../gpu/dispatch.ts';
import type { MemoryLimits } from '../plan/memoryPlan.ts';
import { modelOf } from '../model/families/registry.ts';
import type { EngineRequest } from './engineRequest.ts';
import { chooseMemory, type PlannedEngine } from './memoryChoice.ts';

/** How many are kept: each takes some MiB of JavaScript's heap for a large model. */
const CAPACITY = 4;

export class PlanCache {
  /** From the least to the most recently used. */
  private readonly entries = new Map<string, PlannedEngine>();

  /**
   * The plans of a request with these settings, chosen to fit its memory aim.
   * @throws what chooseMemory throws
   */
  get(
    request: Omit<EngineRequest, 'kernels'>,
    settings: KernelSettings,
    limits: MemoryLimits,
  ): PlannedEngine {
    const key = keyOf(request, settings, limits);
    const planned =
      this.entries.get(key) ??
      chooseMemory(
        {
          ...request,
          gradientCheckpointing: request.gradientCheckpointing !== false,
          model: modelOf(request.config),
          weights: request.tensors,
          aim: request.memoryAim,
        },
        settings,
        limits,
      );
    this.entries.delete(key);
    this.entries.set(key, planned);
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= CAPACITY) break;
      this.entries.delete(oldest);
    }
    return planned;
  }
}

/** All that decides the plans, by value. */
function keyOf(
  {
    config,
    tensors,
    lora,
    settings: training,
    tokensPerMicroBatch,
    gradientCheckpointing,
    activationDtype,
    headDtype,
    memoryAim,
  }: Omit<EngineRequest, 'kernels'>,
  settings: KernelSettings,
  limits: MemoryLimits,
): string {
  const weights = [...tensors.values()].map(({ name, kind, shape }) => [name, kind, shape]);
  return JSON.stringify([
    config,
    weights,
    lora,
    training,
    tokensPerMicroBatch,
    gradientCheckpointing,
    activationDtype,
    headDtype,
    memoryAim,
    { ...settings, choices: [...(settings.choices ?? [])] },
    limits,
  ]);
}
