/**
 * What of a run is kept and what is computed again, so that it fits: per layer nothing, attention's inputs or all, and if even that is too much
 * fewer tokens a micro-batch. None of it changes a result. WebGPU does not tell how much memory there is, so the aim is the recipe's.
 */
import type { KernelSettings } from '../gpu/dispatch.ts';
import { TooLargeError } from '../lib/errors.ts';
import type { Checkpointing } from '../plan/autodiff.ts';
import { BlockTooLargeError, type MemoryLimits } from '../plan/memoryPlan.ts';
import type { MemoryAim, MemoryChoice } from './engine.ts';
import { MOST_SLOTS, makeEnginePlans, type PlanOptions, type EnginePlans } from './enginePlans.ts';
import { memoryReport } from './memoryReport.ts';

/** Where the recipe names no limit: what the GPUs of most laptops can spare. */
export const DEFAULT_MEMORY_BYTES = 2 * 2 ** 30;

export type ChoiceOptions = Omit<PlanOptions, 'gradientCheckpointing'> & {
  gradientCheckpointing: boolean;
  aim: MemoryAim;
};

/** @throws UserError where the recipe's own limit cannot be kept, BlockTooLargeError where the adapter's cannot */
export function chooseMemory(
  { aim, ...wanted }: ChoiceOptions,
  settings: KernelSettings,
  limits: MemoryLimits,
): { plans: EnginePlans; options: PlanOptions; choice: MemoryChoice } {
  const generation = aim.generation && {
    slots: Math.min(aim.generation.slots, MOST_SLOTS),
    maxLength: Math.ceil(aim.generation.maxLength / 64) * 64,
  };
  const options = { ...wanted, generation: generation ?? wanted.generation };
  const layers = options.model.config.num_hidden_layers;
  const limitBytes = aim.limitBytes ?? DEFAULT_MEMORY_BYTES;
  /** Of each T: only the training plan depends on what is recomputed. */
  const rest = new Map<number, EnginePlans>();
  const made = (tokensPerMicroBatch: number, gradientCheckpointing: readonly Checkpointing[]) => {
    const changed = { ...options, tokensPerMicroBatch, gradientCheckpointing };
    const plans = makeEnginePlans(changed, settings, limits, rest.get(tokensPerMicroBatch));
    rest.set(tokensPerMicroBatch, plans);
    return { options: changed, plans, total: memoryReport(plans).total };
  };
  const finish = (best: ReturnType<typeof made>, reason: string) => {
    const kinds = best.options.gradientCheckpointing;
    const count = (kind: Checkpointing) => kinds.filter((each) => each === kind).length;
    const choice = {
      tokensPerMicroBatch: best.options.tokensPerMicroBatch,
      none: count('none'),
      attention: count('attention'),
      full: count('full'),
      limitBytes,
      reason,
    };
    return { plans: best.plans, options: best.options, choice };
  };
  const refuse = (best: ReturnType<typeof made>, advice: string) => {
    if (aim.limitBytes === null || best.total <= limitBytes) return;
    throw new TooLargeError(
      `This run needs ${mebibytes(best.total)} of GPU memory at least, training.gpu_memory_limit_gib allows ${mebibytes(limitBytes)}. ${advice} raise the limit, lower max_length or lora.r, or use a smaller model.`,
    );
  };

  if (!options.gradientCheckpointing) {
    const best = made(options.tokensPerMicroBatch, ladder(layers, 0));
    refuse(best, 'Set training.gradient_checkpointing to true,');
    return finish(best, 'every layer keeps its values, because gradient_checkpointing is false');
  }
  let tokens = options.tokensPerMicroBatch;
  const least = Math.min(aim.leastTokens, tokens);
  let full = tryPlan(() => made(tokens, ladder(layers, 2 * layers)), tokens === least);
  while ((!full || full.total > limitBytes) && tokens > least) {
    tokens = Math.max(least, Math.ceil(tokens / 2 / 32) * 32);
    full = tryPlan(() => made(tokens, ladder(layers, 2 * layers)), tokens === least);
  }
  const fewer =
    tokens < options.tokensPerMicroBatch
      ? `; micro-batches have ${tokens} tokens instead of ${options.tokensPerMicroBatch} for the same reason`
      : '';
  if (full!.total > limitBytes) {
    refuse(full!, 'It is planned as small as it gets:');
    return finish(
      full!,
      `even with every layer recomputed this is more than the ${mebibytes(limitBytes)} aimed for${fewer}`,
    );
  }
  const none = tryPlan(() => made(tokens, ladder(layers, 0)), false);
  if (none && none.total <= limitBytes)
    return finish(none, `all fits in ${mebibytes(limitBytes)} without recomputing${fewer}`);
  // The least step of the ladder that fits: steps grow smaller in memory and larger in work.
  let [tooLarge, fits, best] = [0, 2 * layers, full!];
  while (fits - tooLarge > 1) {
    const middle = (tooLarge + fits) >> 1;
    const candidate = tryPlan(() => made(tokens, ladder(layers, middle)), false);
    if (candidate && candidate.total <= limitBytes) [fits, best] = [middle, candidate];
    else tooLarge = middle;
  }
  return finish(best, `as little is recomputed as lets the run fit in ${mebibytes(limitBytes)}${fewer}`);
}

/** Step 0 keeps all; then attention's inputs go, a layer at a time from the first (whose values would live longest), then the rest of each layer. */
function ladder(layers: number, step: number): Checkpointing[] {
  return Array.from({ length: layers }, (_, i) =>
    i < step - layers ? 'full' : i < step ? 'attention' : 'none',
  );
}

/** Null where a value is larger than a binding, unless that is `final`. */
function tryPlan<T>(make: () => T, final: boolean): T | null {
  try {
    return make();
  } catch (error) {
    if (error instanceof BlockTooLargeError && !final) return null;
    throw error;
  }
}

function mebibytes(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(2)} GiB` : `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
