/**
 * All plans of one engine. They are made before anything is allocated, so that memory is known in advance.
 */
import type { TensorInfo } from '../formats/tensors.ts';
import type { KernelSettings } from '../gpu/dispatch.ts';
import type { Graph } from '../graph/graph.ts';
import type { AdapterLayout } from '../model/adapterLayout.ts';
import { checkTargets } from '../model/adapterTargets.ts';
import { isLinear } from '../model/config.ts';
import type { Model } from '../model/architecture.ts';
import {
  adapterLayout,
  decodeGraph,
  doraNormGraph,
  logitsGraph,
  optimizerGraph,
  prefillGraph,
  scoreGraph,
  trainGraph,
  type GraphOptions,
} from '../model/planGraphs.ts';
import { MIN_TOKENS } from '../ops/lora/loraTiling.ts';
import { sweepElements } from '../ops/optimizer/adamW.ts';
import { switchLength } from '../ops/rope/ropeRows.ts';
import type { Checkpointing } from '../plan/autodiff.ts';
import { BlockTooLargeError, type MemoryLimits } from '../plan/memoryPlan.ts';
import { makePlan, type Plan } from '../plan/plan.ts';
import type { GenerationSize, LoraSettings } from './engine.ts';
import { adamOf, graphSettings, type TrainingSettings } from './trainingSettings.ts';

export interface PlanOptions {
  model: Model;
  weights: ReadonlyMap<string, TensorInfo>;
  lora: LoraSettings;
  settings?: TrainingSettings;
  /** T: tokens a micro-batch, for training, scoring and prefill. */
  tokensPerMicroBatch: number;
  /** For all layers, or layer by layer. */
  gradientCheckpointing: boolean | Checkpointing | readonly Checkpointing[];
  /** Activations wait for the backward pass in 16 bits. */
  packActivations?: boolean;
  /** false: neither the training step nor the optimiser is planned. */
  training?: boolean;
  /** Plans prefill and decode with their KV cache. */
  generation?: GenerationSize;
  /** Plans a forward pass that keeps whole logits, for references of small models. */
  logits?: boolean;
}

/**
 * What weights may take that a training step dequantises at once, where memory is not short, so that nothing
 * is recomputed: a layer of Llama-3.2-1B takes 243 MB in float32.
 */
const DEQUANTISED_BYTES = 2 ** 28;
/** There, in a step of so many tokens, whose activations take far more: the logits that are made at once. */
const LOGIT_BYTES = 2 ** 28;
const MANY_TOKENS = 2048;

export interface EnginePlans {
  layout: AdapterLayout;
  score: Plan;
  /** Absent where the engine only answers and scores. */
  training?: { train: Plan; optimizer: Plan };
  /** DoRA's row norms, which the plans above and generation read; absent where the adapter is plain LoRA. */
  norms?: Plan;
  logits?: Plan;
  generation?: GenerationPlans;
}

export interface GenerationPlans extends GenerationSize {
  /** Slots that were asked for; there are fewer where their KV cache would not fit one binding. */
  asked: number;
  /**
   * Once a sequence grows past this length its cache is void, because all its positions rotate differently;
   * null: never.
   */
  switchLength: number | null;
  prefill: Plan;
  decode: Plan;
}

/** Most sequences generated at once where nobody knows how much memory there is. */
export const FEW_SLOTS = 8;
/** And where it is known: a round of so many takes a GPU less than three times as long as one of a few. */
export const MOST_SLOTS = 64;

/**
 * @param same plans for the same options but another checkpointing: all but the training plan are taken over
 * from them
 * @throws UserError for adapter settings that do not fit the model
 * @throws BlockTooLargeError where a value does not fit one binding of this adapter
 */
export function makeEnginePlans(
  options: PlanOptions,
  settings: KernelSettings,
  limits: MemoryLimits,
  same?: EnginePlans,
): EnginePlans {
  const { model, lora } = options;
  checkTargets(
    model.tensors.filter(isLinear).map(({ name }) => name.replace(/\.weight$/, '')),
    lora,
  );
  // The optimiser sweeps the adapter in stretches of `sweep` elements, so each buffer holds whole stretches.
  const sweep = sweepElements(settings.maxBindingBytes);
  const shared: GraphOptions = {
    tokens: options.tokensPerMicroBatch,
    positions: options.tokensPerMicroBatch,
    lora,
    weights: options.weights,
    adapterPieceElements: Math.floor(limits.maxBufferBytes / (sweep * 4)) * sweep,
  };
  const trained =
    options.training === false
      ? null
      : trainGraph(model, { ...shared, ...graphSettings(options.settings) }, options.gradientCheckpointing);
  const layout = trained?.layout ?? adapterLayout(model, shared);
  const plan = (name: string, made: Graph) => makePlan(name, made, settings, limits);
  const isRoomy = options.gradientCheckpointing === false;
  const train = (graph: Graph) =>
    makePlan(
      'train',
      graph,
      isRoomy && shared.tokens >= MANY_TOKENS ? { ...settings, logitBytes: LOGIT_BYTES } : settings,
      limits,
      { packs: options.packActivations, dequantisedBytes: isRoomy ? DEQUANTISED_BYTES : undefined },
    );
  if (same) {
    if (!same.training || !trained) return same;
    return { ...same, training: { ...same.training, train: train(trained.graph) } };
  }
  return {
    layout,
    score: plan('score', scoreGraph(model, shared)),
    training: trained
      ? {
          train: train(trained.graph),
          optimizer: plan('optimizer', optimizerGraph(layout, adamOf(options.settings))),
        }
      : undefined,
    norms: lora.use_dora ? plan('norms', doraNormGraph(layout, options.weights).graph) : undefined,
    logits: options.logits ? plan('logits', logitsGraph(model, shared)) : undefined,
    generation: options.generation
      ? makeGenerationPlans(options, options.generation, settings, limits)
      : undefined,
  };
}

/**
 * Plans prefill and decode. Where the KV cache of so many slots does not fit one binding, the slots are
 * halved until it does.
 * @throws BlockTooLargeError where not even one slot fits
 */
export function makeGenerationPlans(
  options: PlanOptions,
  { slots, maxLength }: GenerationSize,
  settings: KernelSettings,
  limits: MemoryLimits,
): GenerationPlans {
  try {
    return makeSlotPlans(options, { slots, maxLength }, settings, limits);
  } catch (error) {
    if (!(error instanceof BlockTooLargeError) || slots === 1) throw error;
    const fewer = { slots: Math.floor(slots / 2), maxLength };
    return { ...makeGenerationPlans(options, fewer, settings, limits), asked: slots };
  }
}

function makeSlotPlans(
  { model, lora, weights, tokensPerMicroBatch }: PlanOptions,
  { slots, maxLength }: GenerationSize,
  settings: KernelSettings,
  limits: MemoryLimits,
): GenerationPlans {
  const cache = { slots, length: maxLength };
  const shared = { positions: Math.max(maxLength, tokensPerMicroBatch), lora, weights, cache };
  const decode = decodeGraph(model, shared);
  return {
    slots,
    asked: slots,
    maxLength,
    switchLength: switchLength(decode),
    prefill: makePlan(
      'prefill',
      prefillGraph(model, { ...shared, tokens: tokensPerMicroBatch }),
      settings,
      limits,
    ),
    decode: makePlan('decode', decode, { ...settings, fewRows: MIN_TOKENS - 1 }, limits),
  };
}

export function listPlans(plans: EnginePlans): Plan[] {
  return [
    plans.training?.train,
    plans.score,
    plans.training?.optimizer,
    plans.norms,
    plans.logits,
    plans.generation?.prefill,
    plans.generation?.decode,
  ].filter((plan) => plan !== undefined);
}
