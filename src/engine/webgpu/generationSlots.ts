/**
 * Runs prefill and decode on the GPU. Their KV cache is planned again when a prompt does not fit the one
 * before.
 */
import type { KernelSettings } from '../../gpu/dispatch.ts';
import { largest } from '../../lib/extremes.ts';
import type { WeightSource } from '../../formats/tensors.ts';
import { hostRows, tableInputs } from '../hostRows.ts';
import type { MemoryLimits } from '../../plan/memoryPlan.ts';
import type { Plan } from '../../plan/plan.ts';
import type { GenerationOptions, GenerationSize } from '../engine.ts';
import type { SlotInputs, SlotRunner } from './slotRunner.ts';
import type { GpuReplay } from './planReplay.ts';
import type { DeviceBuffers } from './deviceBuffers.ts';
import {
  FEW_SLOTS,
  makeGenerationPlans,
  listPlans,
  type GenerationPlans,
  type PlanOptions,
  type EnginePlans,
} from '../enginePlans.ts';

/** The parts of the engine that generation uses. */
export interface SlotsHost {
  weights: WeightSource;
  /** `generation` is set here. */
  plans: EnginePlans;
  planOptions: PlanOptions;
  /** The size that the engine's creator asked for; prompts may need more. */
  asked?: GenerationSize;
  settings: KernelSettings;
  limits: MemoryLimits;
  deviceBuffers: DeviceBuffers;
  replay: GpuReplay;
}

export function slotRunner(
  host: SlotsHost,
  prompts: readonly number[][],
  options: GenerationOptions,
): SlotRunner {
  const { slots, maxLength, switchLength, prefill, decode } = generationPlans(host, prompts, options);
  const { deviceBuffers, replay, planOptions, weights } = host;
  const tables = tableInputs(decode.external);
  const idsBytes = slots * 4;
  /**
   * Replays a plan once and leaves its ids at place `round` of the staging buffer.
   * @param feedBack whether the ids of the replay before are its input ids
   */
  const run = async (plan: Plan, inputs: SlotInputs, round: number, feedBack: boolean) => {
    const rows = feedBack ? {} : await hostRows(weights, tables, inputs.inputIds);
    for (const [name, data] of Object.entries({ ...inputs, ...rows })) deviceBuffers.write(plan, name, data);
    const ids = deviceBuffers.output(plan, 'ids');
    await replay.run(plan, {
      before: (encoder) =>
        feedBack && encoder.copyBufferToBuffer(ids, 0, deviceBuffers.input(plan, 'inputIds'), 0, idsBytes),
      after: (encoder) => deviceBuffers.copyBack(encoder, ids, idsBytes, round * idsBytes),
    });
  };
  return {
    slots,
    maxLength,
    switchLength,
    needsIds: tables.length > 0,
    prefillTokens: planOptions.tokensPerMicroBatch,
    async prefill(inputs) {
      await run(prefill, inputs, 0, false);
      return new Uint32Array(await deviceBuffers.takeBack(idsBytes));
    },
    async decode(rounds) {
      for (const [round, inputs] of rounds.entries()) await run(decode, inputs, round, round > 0);
      const ids = new Uint32Array(await deviceBuffers.takeBack(rounds.length * idsBytes));
      return rounds.map((_, round) => ids.subarray(round * slots, (round + 1) * slots));
    },
  };
}

function generationPlans(
  { plans, planOptions, asked, settings, limits, deviceBuffers, replay }: SlotsHost,
  prompts: readonly number[][],
  { maxNewTokens }: GenerationOptions,
): GenerationPlans {
  const needed = largest(prompts.map((prompt) => prompt.length)) + maxNewTokens;
  const before = plans.generation;
  const planned = (asked ?? planOptions.generation)?.slots ?? FEW_SLOTS;
  // Kernels of many rows add in another order than those of a few, so that the slots of a file must not
  // depend on what was generated before: all of them for many prompts. A few are the same in any number.
  const used = Math.min(prompts.length, planned);
  const isFew = used <= FEW_SLOTS;
  const slots = isFew ? used : planned;
  const serves =
    before && (isFew ? before.asked >= slots && before.asked <= FEW_SLOTS : before.asked === slots);
  if (serves && before.maxLength >= needed) return before;
  // The length of the cache before is kept unless it is much longer than needed: else two files of a run with
  // prompts of different lengths would plan the cache again at each evaluation.
  const kept = before && before.maxLength <= 4 * needed ? before.maxLength : 0;
  const maxLength = Math.ceil(Math.max(needed, kept, asked?.maxLength ?? 0) / 64) * 64;
  if (before) {
    deviceBuffers.release([before.prefill, before.decode], listPlans({ ...plans, generation: undefined }));
    replay.forget([before.prefill, before.decode]);
  }
  plans.generation = makeGenerationPlans(planOptions, { slots, maxLength }, settings, limits);
  if (deviceBuffers.allocate(listPlans(plans))) replay.forget();
  return plans.generation;
}
