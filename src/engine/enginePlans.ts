/** All plans of one run, made before anything is allocated, and the exact memory they need. */
import { isNf4, tensorPartBytes, type TensorInfo } from '../formats/tensors.ts';
import type { KernelSettings } from '../gpu/dispatch.ts';
import type { AdapterLayout } from '../model/adapterLayout.ts';
import { checkTargets } from '../model/adapterTargets.ts';
import {
  decodeGraph,
  logitsGraph,
  optimizerGraph,
  prefillGraph,
  scoreGraph,
  trainGraph,
  type GraphOptions,
} from '../model/planGraphs.ts';
import type { Model } from '../model/architecture.ts';
import { STATS, sweepElements } from '../ops/optimizer/adamW.ts';
import { valueBytes, type Value } from '../graph/graph.ts';
import { switchLength } from '../ops/rope/ropeRows.ts';
import type { WeightGroup } from '../ops/matmul/weightGroups.ts';
import { QUANTIZATION_TABLE_BYTES } from '../quant/nf4.ts';
import type { Checkpointing } from '../plan/autodiff.ts';
import { BlockTooLargeError, type MemoryLimits } from '../plan/memoryPlan.ts';
import { makePlan, type Plan } from '../plan/plan.ts';
import type { LoraSettings, MemoryReport } from './engine.ts';

export interface RunPlanOptions {
  model: Model;
  weights: ReadonlyMap<string, TensorInfo>;
  lora: LoraSettings;
  tokensPerMicroBatch: number;
  /** Of all layers, or layer by layer. */
  gradientCheckpointing: boolean | readonly Checkpointing[];
  /** false: neither the training step nor the optimiser is planned. */
  training?: boolean;
  /** Plans prefill and decode with their KV cache. */
  generation?: { slots: number; maxLength: number };
  /** Plans whole logits too: for references of small models. */
  logits?: boolean;
}

export interface RunPlans {
  layout: AdapterLayout;
  score: Plan;
  /** Absent where the engine only answers and scores. */
  training?: { train: Plan; optimizer: Plan };
  logits?: Plan;
  generation?: GenerationPlans;
}

export interface GenerationPlans {
  slots: number;
  maxLength: number;
  /** A cache from before a sequence grew past this length is void; null: never. */
  switchLength: number | null;
  prefill: Plan;
  decode: Plan;
}

/** Steps that may be submitted before the one ahead of them is over. */
export const STEPS_AHEAD = 1;
export const STATS_BYTES = STATS * 4;
/** What the scalars of steps on their way come back by. */
const STEP_RING_BYTES = (STEPS_AHEAD + 1) * STATS_BYTES;

/** Most tokens a sequence gets before the host sees them. */
export const MOST_ROUNDS = 16;

/** Most sequences generated at once where the caller did not say. */
export const MOST_SLOTS = 8;

/**
 * @param same plans of the same run but for its checkpointing, which are taken over
 * @throws UserError for adapter settings that do not fit the model, BlockTooLargeError where the adapter's limits are too small
 */
export function planRun(
  options: RunPlanOptions,
  settings: KernelSettings,
  limits: MemoryLimits,
  same?: RunPlans,
): RunPlans {
  const { model, lora } = options;
  checkTargets(
    model.tensors.filter(({ quantise }) => quantise).map(({ name }) => name.replace(/\.weight$/, '')),
    lora,
  );
  // A buffer holds whole stretches of the optimiser's sweep.
  const sweep = sweepElements(settings.maxBindingBytes);
  const shared: GraphOptions = {
    tokens: options.tokensPerMicroBatch,
    positions: options.tokensPerMicroBatch,
    lora,
    weights: options.weights,
    adapterPieceElements: Math.floor(limits.maxBufferBytes / (sweep * 4)) * sweep,
  };
  const { graph, layout } = trainGraph(model, shared, options.gradientCheckpointing);
  const plan = (name: string, made: typeof graph) => makePlan(name, made, settings, limits);
  if (same) return { ...same, training: same.training && { ...same.training, train: plan('train', graph) } };
  return {
    layout,
    score: plan('score', scoreGraph(model, shared)),
    training:
      options.training === false
        ? undefined
        : { train: plan('train', graph), optimizer: plan('optimizer', optimizerGraph(layout)) },
    logits: options.logits ? plan('logits', logitsGraph(model, shared)) : undefined,
    generation: options.generation
      ? planGeneration(options, options.generation, settings, limits)
      : undefined,
  };
}

/**
 * @param slots sequences generated at once, where the cache of so many fits one binding; else as many as fit
 * @param maxLength longest prompt and answer together @throws BlockTooLargeError where not even one fits
 */
export function planGeneration(
  options: RunPlanOptions,
  { slots, maxLength }: { slots: number; maxLength: number },
  settings: KernelSettings,
  limits: MemoryLimits,
): GenerationPlans {
  try {
    return planSlots(options, slots, maxLength, settings, limits);
  } catch (error) {
    if (!(error instanceof BlockTooLargeError) || slots === 1) throw error;
    return planGeneration(options, { slots: Math.floor(slots / 2), maxLength }, settings, limits);
  }
}

function planSlots(
  { model, lora, weights, tokensPerMicroBatch }: RunPlanOptions,
  slots: number,
  maxLength: number,
  settings: KernelSettings,
  limits: MemoryLimits,
): GenerationPlans {
  const cache = { slots, length: maxLength };
  const shared = { positions: Math.max(maxLength, tokensPerMicroBatch), lora, weights, cache };
  const decode = decodeGraph(model, shared);
  return {
    slots,
    maxLength,
    switchLength: switchLength(decode),
    prefill: makePlan(
      'prefill',
      prefillGraph(model, { ...shared, tokens: tokensPerMicroBatch }),
      settings,
      limits,
    ),
    decode: makePlan('decode', decode, settings, limits),
  };
}

export function plansOf(plans: RunPlans): Plan[] {
  return [
    plans.training?.train,
    plans.score,
    plans.training?.optimizer,
    plans.logits,
    plans.generation?.prefill,
    plans.generation?.decode,
  ].filter((plan) => plan !== undefined);
}

/** Weights that lie together; the plans of one model agree on them. */
export function weightGroupsOf(plans: readonly Plan[]): WeightGroup[] {
  return [
    ...new Map(
      plans.flatMap(({ weightGroups }) => weightGroups).map((group) => [group.names[0], group]),
    ).values(),
  ];
}

/** Key under which a value outside the arenas is allocated: plans share what has the same name and shape. */
export function deviceBuffersKey(value: Value, plan: Plan): string {
  return value.role === 'output'
    ? `${plan.name}.${value.name}`
    : `${value.role} ${value.name} [${value.shape}]`;
}

/** Arenas serve all plans in turn: each is as large as the largest plan needs it. */
export function arenaBytes(plans: readonly Plan[]): number[] {
  const arenas: number[] = [];
  for (const plan of plans)
    plan.arenaBytes.forEach((bytes, i) => (arenas[i] = Math.max(arenas[i] ?? 0, bytes)));
  return arenas;
}

/** Bytes of the buffer through which losses and ids come back; ids of several rounds of decode at once. */
export function readbackBytes(plans: readonly Plan[]): number {
  const bytes = plans.flatMap(({ name, external }) =>
    external
      .filter(({ role }) => role === 'output')
      .map((value) => valueBytes(value) * (name === 'decode' ? MOST_ROUNDS : 1)),
  );
  return Math.max(...bytes, 8);
}

/** What the plans will allocate, to the byte. */
export function memoryReport(plans: RunPlans): MemoryReport {
  const list = plansOf(plans);
  const report = {
    weights: 0,
    adapter: plans.layout.elements * 4,
    optimizer: 0,
    activations: 0,
    batch: readbackBytes(list) + (plans.training ? STEP_RING_BYTES : 0),
    kvCache: 0,
  };
  const counted = new Set<string>();
  const groups = weightGroupsOf(list);
  const grouped = new Set(groups.flatMap(({ names }) => names));
  report.weights = groups.reduce(
    (sum, { parts }) => sum + Object.values(parts).reduce((total, { bytes }) => total + bytes, 0),
    0,
  );
  for (const plan of list) {
    for (const value of plan.external) {
      const key = deviceBuffersKey(value, plan);
      // Every engine has an adapter, also one whose plans never update it.
      if (counted.has(key) || (value.role === 'state' && value.name === 'adapter')) continue;
      counted.add(key);
      if (value.role === 'weight') report.weights += grouped.has(value.name) ? 0 : weightBytes(value);
      else if (value.role === 'state' && value.name.startsWith('cache.')) report.kvCache += valueBytes(value);
      else if (value.role === 'state' && value.name !== 'stats') report.optimizer += valueBytes(value);
      else if (value.role !== 'parameter' && value.role !== 'gradient') report.batch += valueBytes(value);
    }
  }
  if (list.some((plan) => plan.external.some(({ kind }) => isNf4(kind))))
    report.weights += QUANTIZATION_TABLE_BYTES;
  report.activations = arenaBytes(list).reduce((a, b) => a + b, 0);
  return { ...report, total: Object.values(report).reduce((a, b) => a + b, 0) };
}

/** Bytes of a weight's parts, each rounded up to a word. */
function weightBytes({ name, shape, kind }: Value): number {
  return Object.values(tensorPartBytes({ name, shape: [...shape], kind: kind! })).reduce(
    (sum, bytes) => sum + Math.ceil(bytes / 4) * 4,
    0,
  );
}
