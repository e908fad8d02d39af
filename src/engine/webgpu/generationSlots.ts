/** Prefill and decode on the GPU, over a KV cache that is planned anew when a prompt is longer than any before. */
import type { KernelSettings } from '../../gpu/dispatch.ts';
import { largest } from '../../lib/extremes.ts';
import type { MemoryLimits } from '../../plan/memoryPlan.ts';
import type { Plan } from '../../plan/plan.ts';
import type { GenerationOptions } from '../engine.ts';
import type { SlotInputs, SlotRunner } from './generation.ts';
import type { GpuReplay } from './planReplay.ts';
import type { DeviceBuffers } from './deviceBuffers.ts';
import {
  MOST_SLOTS,
  makeGenerationPlans,
  listPlans,
  type GenerationPlans,
  type PlanOptions,
  type EnginePlans,
} from '../enginePlans.ts';

/** Of the engine whose weights and adapter answer. */
export interface SlotsHost {
  /** Its `generation` is what is planned here. */
  plans: EnginePlans;
  planOptions: PlanOptions;
  /** What was asked for ahead of any prompt. */
  asked?: { slots: number; maxLength: number };
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
  const { deviceBuffers, replay, planOptions } = host;
  const idsBytes = slots * 4;
  /** Replays once with these inputs; its ids are the `round`-th that come back. @param feedBack the ids of the replay before are its input */
  const run = async (plan: Plan, inputs: SlotInputs, round: number, feedBack: boolean) => {
    for (const [name, data] of Object.entries(inputs)) deviceBuffers.write(plan, name, data);
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
  const slots = Math.min(prompts.length, asked?.slots ?? MOST_SLOTS);
  if (before && before.maxLength >= needed && before.slots >= slots) return before;
  // A cache is as long as what is asked for, or as the one before unless that is much longer: files of one run do not take turns in replanning.
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
