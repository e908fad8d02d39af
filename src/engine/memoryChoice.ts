/**
 * Decides what of a run is kept and what is recomputed (selective activation checkpointing), so that it fits:
 * for each layer nothing, norms and gated products, what its attention reads, or everything; and if that is
 * not enough, fewer tokens a micro-batch. None of it changes a result. Where results are rounded to float16
 * anyway, activations are packed into 16 bits before more than the cheap part is recomputed. Only where a
 * limit of the recipe's own cannot be kept by any of this is the output head taken in 8 bits. WebGPU does not
 * say how much memory there is, so the limit to aim for is the recipe's.
 */
import type { KernelSettings } from '../gpu/dispatch.ts';
import { TooLargeError } from '../lib/errors.ts';
import type { Checkpointing } from '../plan/autodiff.ts';
import { BlockTooLargeError, type MemoryLimits } from '../plan/memoryPlan.ts';
import type { ActivationDtype, MemoryAim, MemoryChoice } from './engine.ts';
import { headObstacle, Q8_0_BOUND, withHeadInQ8_0, type HeadDtype } from './headDtype.ts';
import {
  FEW_SLOTS,
  MOST_SLOTS,
  makeEnginePlans,
  makeGenerationPlans,
  type EnginePlans,
  type GenerationPlans,
  type PlanOptions,
} from './enginePlans.ts';
import { memoryReport } from './memoryReport.ts';

/** The aim where the recipe names no limit: what the GPUs of most laptops can spare. */
export const DEFAULT_MEMORY_BYTES = 2 * 2 ** 30;

export type ChoiceOptions = Omit<PlanOptions, 'gradientCheckpointing' | 'packActivations'> & {
  gradientCheckpointing: boolean;
  activationDtype?: ActivationDtype;
  headDtype?: HeadDtype;
  aim: MemoryAim;
};

/** The plans of an engine, and how they were made to fit. */
export interface PlannedEngine {
  plans: EnginePlans;
  /** What the plans were made from, with T and checkpointing as chosen. */
  options: PlanOptions;
  choice: MemoryChoice;
}

/**
 * @throws UserError where the recipe's own limit cannot be kept
 * @throws BlockTooLargeError where the adapter's limits cannot be kept
 */
export function chooseMemory(
  { headDtype = 'stored', ...options }: ChoiceOptions,
  settings: KernelSettings,
  limits: MemoryLimits,
): PlannedEngine {
  const { model, weights } = options;
  const inQ8_0 = (why: string) => {
    const made = chooseWithHead({ ...options, weights: withHeadInQ8_0(model, weights) }, settings, limits);
    const { reason } = made.choice;
    return { ...made, choice: { ...made.choice, headInQ8_0: true, reason: `${reason}; ${why}` } };
  };
  if (headDtype === 'q8_0') return inQ8_0('the output head has 8 bits because head_dtype is q8_0');
  try {
    return chooseWithHead(options, settings, limits);
  } catch (error) {
    const mayRound = headDtype === 'auto' && options.gradientCheckpointing;
    if (!(error instanceof OverLimitError) || !mayRound || headObstacle(model, weights) !== null) throw error;
    try {
      return inQ8_0(
        `the output head has 8 bits (Q8_0, ${Q8_0_BOUND}), because with its own the limit cannot be kept`,
      );
    } catch (second) {
      // Kernels read a head of 8 bits through a buffer of floats: a small head takes more memory so.
      throw second instanceof OverLimitError && second.neededBytes < error.neededBytes ? second : error;
    }
  }
}

/** The recipe's own limit cannot be kept. */
class OverLimitError extends TooLargeError {
  constructor(
    message: string,
    readonly neededBytes: number,
  ) {
    super(message);
  }
}

/** The choice with the head as the weights have it. */
function chooseWithHead(
  { aim, activationDtype = 'float32', ...wanted }: Omit<ChoiceOptions, 'headDtype'>,
  settings: KernelSettings,
  limits: MemoryLimits,
): PlannedEngine {
  const generation = aim.generation && {
    slots: Math.min(aim.generation.slots, FEW_SLOTS),
    maxLength: Math.ceil(aim.generation.maxLength / 64) * 64,
  };
  const options = { ...wanted, generation: generation ?? wanted.generation };
  const layers = options.model.config.num_hidden_layers;
  const last = 3 * layers;
  const limitBytes = aim.limitBytes ?? DEFAULT_MEMORY_BYTES;
  /** By T: of plans with the same T only the training plan depends on what is recomputed. */
  const rest = new Map<number, EnginePlans>();
  const mayPack = activationDtype === 'auto' && settings.level !== 'plain';
  const made = (tokensPerMicroBatch: number, step: number) => {
    const gradientCheckpointing = ladder(layers, step);
    const packActivations = activationDtype === 'e6m9' || (mayPack && step > layers);
    const changed = { ...options, tokensPerMicroBatch, gradientCheckpointing, packActivations };
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
      cheap: count('cheap'),
      attention: count('attention'),
      full: count('full'),
      packed: best.options.packActivations === true,
      headInQ8_0: false,
      headMayRound: headObstacle(options.model, options.weights) === null,
      limitBytes,
      reason,
    };
    const more = aim.generation && moreSlots(best, aim.generation.slots, settings, limits, limitBytes);
    if (!more) return { plans: best.plans, options: best.options, choice };
    const { slots, maxLength } = more;
    return {
      plans: { ...best.plans, generation: more },
      options: { ...best.options, generation: { slots, maxLength } },
      choice,
    };
  };
  const refuse = (best: ReturnType<typeof made>, advice: string) => {
    if (aim.limitBytes === null || best.total <= limitBytes) return;
    throw new OverLimitError(
      `This run needs ${mebibytes(best.total)} of GPU memory at least, training.gpu_memory_limit_gib allows ${mebibytes(limitBytes)}. ${advice} raise the limit, lower max_length or lora.r, or use a smaller model.`,
      best.total,
    );
  };

  if (!options.gradientCheckpointing) {
    const best = made(options.tokensPerMicroBatch, 0);
    refuse(best, 'Set training.gradient_checkpointing to true,');
    return finish(best, 'every layer keeps its values, because gradient_checkpointing is false');
  }
  let tokens = options.tokensPerMicroBatch;
  const least = Math.min(aim.leastTokens, tokens);
  let full = tryPlan(() => made(tokens, last), tokens === least);
  while ((!full || full.total > limitBytes) && tokens > least) {
    tokens = Math.max(least, Math.ceil(tokens / 2 / 32) * 32);
    full = tryPlan(() => made(tokens, last), tokens === least);
  }
  const fewer =
    tokens < options.tokensPerMicroBatch
      ? `; micro-batches have ${tokens} tokens instead of ${options.tokensPerMicroBatch} for the same reason`
      : '';
  if (full!.total > limitBytes) {
    refuse(full!, 'It is already planned as small as it can be:');
    return finish(
      full!,
      `even with every layer recomputed this is more than the ${mebibytes(limitBytes)} aimed for${fewer}`,
    );
  }
  const none = tryPlan(() => made(tokens, 0), false);
  if (none && none.total <= limitBytes)
    return finish(none, `all fits in ${mebibytes(limitBytes)} without recomputing${fewer}`);
  // Finds the first step of the ladder that fits: each further step takes less memory and more work.
  let [tooLarge, fits, best] = [0, last, full!];
  while (fits - tooLarge > 1) {
    const middle = (tooLarge + fits) >> 1;
    const candidate = tryPlan(() => made(tokens, middle), false);
    if (candidate && candidate.total <= limitBytes) [fits, best] = [middle, candidate];
    else tooLarge = middle;
  }
  return finish(best, `as little is recomputed as lets the run fit in ${mebibytes(limitBytes)}${fewer}`);
}

/**
 * As many sequences at once as are asked for and the limit has room for, once all else is chosen.
 * @returns null where there is no room for more than a few
 */
function moreSlots(
  { options, plans }: { options: PlanOptions; plans: EnginePlans },
  asked: number,
  settings: KernelSettings,
  limits: MemoryLimits,
  limitBytes: number,
): GenerationPlans | null {
  if (settings.target === 'cpu' || !plans.generation) return null;
  const { maxLength } = plans.generation;
  let slots = Math.min(asked, MOST_SLOTS);
  while (slots > FEW_SLOTS) {
    const generation = makeGenerationPlans(options, { slots, maxLength }, settings, limits);
    if (generation.slots <= FEW_SLOTS) return null;
    if (memoryReport({ ...plans, generation }).total <= limitBytes) return generation;
    // Those that no binding holds are not planned again.
    slots = Math.floor(generation.slots / 2);
  }
  return null;
}

/**
 * What is recomputed at a step of the ladder, for each layer. Step 0 keeps everything. The next steps
 * recompute what is cheap, one layer more at each step, beginning with the first layer, whose values live
 * longest; then the inputs of attention as well; and the last steps whole layers, in the same order.
 */
function ladder(layers: number, step: number): Checkpointing[] {
  return Array.from({ length: layers }, (_, i) =>
    i < step - 2 * layers ? 'full' : i < step - layers ? 'attention' : i < step ? 'cheap' : 'none',
  );
}

/** @returns null where a value is larger than a binding, unless the attempt is `final` */
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
